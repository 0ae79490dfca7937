import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { cliFileName } from '../src/cli-file.ts';
import { unless } from './build.ts';
import { requireBanner } from './build-package.ts';
import { requiredHttp } from './required-http.ts';

/** The built app and the program of the host in few files, which load in half the time that theirs take. */
export interface Bundle {
  /** With the functions in `dist`, as in the project's own folder. */
  readonly appDir: string;
  readonly hostProgram: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'out', 'bundle');

/** Bundles `dist`, which must be built. Programs that run from an older bundle are not disturbed. */
export async function buildBundle(): Promise<Bundle> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['dist/functions/*.js', 'local/host/main.ts'],
    // What the host and the app share is loaded once, as from `node_modules`.
    splitting: true,
    bundle: true,
    chunkNames: 'chunks/[name]-[hash]',
    outdir: folder,
    outbase: root,
    preserveSymlinks: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: ['@azure/functions-core'],
    plugins: [requiredHttp],
    banner: { js: requireBanner },
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  for (const { path, contents } of outputFiles) await replace(path, contents);
  for (const name of ['package.json', 'host.json', 'src']) {
    await symlink(join(root, name), join(folder, name)).catch(unless('EEXIST'));
  }
  const cli = join('dist', cliFileName);
  await replace(join(folder, cli), await readFile(join(root, cli)));
  return {
    appDir: folder,
    hostProgram: join(folder, 'local/host/main.js'),
  };
}

/** By a rename, and only when it changes: another test run may load the file meanwhile. */
async function replace(path: string, contents: Uint8Array): Promise<void> {
  const current = await readFile(path).catch(unless('ENOENT'));
  if (current !== undefined && Buffer.compare(current, contents) === 0) return;
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, contents);
  await rename(aside, path);
}
