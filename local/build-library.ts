import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { z } from 'zod';
import { requireBanner } from './build-package.ts';
import { noticesOf } from './licences.ts';
import { requiredHttp } from './required-http.ts';

/** What a backend has anyway; all else is in the bundle. */
const DEPENDENCIES = ['@azure/notification-hubs', '@azure/storage-blob'] as const;
/** What backends import: its name as a file, and the file's folder. */
const ENTRY = 'redundant-hub';
const ROOM = 'src/redundant';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const ownPackage = z.object({ name: z.string(), version: z.string(), dependencies: z.record(z.string(), z.string()) });

/** Puts the library for backends into `folder`, which is emptied first: one module, its types, a `package.json`. */
export async function buildLibrary(folder: string): Promise<{ readonly version: string }> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(root, ROOM, `${ENTRY}.ts`)],
    absWorkingDir: root,
    outfile: join(folder, `${ENTRY}.js`),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: [...DEPENDENCIES],
    plugins: [requiredHttp],
    banner: { js: requireBanner },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  await writeTypes(folder);
  const own = ownPackage.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const manifest = {
    name: own.name,
    version: own.version,
    license: 'MIT',
    type: 'module',
    engines: { node: '>=22.15' },
    exports: { '.': { types: `./${ENTRY}.d.ts`, default: `./${ENTRY}.js` }, './package.json': './package.json' },
    dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, own.dependencies[name]])),
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(root, metafile));
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  return { version: own.version };
}

/** Only what the class says of itself: what it is made of is the bundle's own. */
async function writeTypes(folder: string): Promise<void> {
  const compiler = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
  const aside = join(folder, 'types');
  const options = [
    '-p',
    join(root, 'tsconfig.build.json'),
    '--outDir',
    aside,
    '--declaration',
    '--emitDeclarationOnly',
  ];
  await run(process.execPath, [compiler, ...options], { cwd: root });
  for (const name of [ENTRY, 'error', 'options']) {
    const text = await readFile(join(aside, ROOM, `${name}.d.ts`), 'utf8');
    await writeFile(join(folder, `${name}.d.ts`), text.replaceAll(/from '(\.\/\w+)\.ts'/g, "from '$1.js'"));
  }
  await rm(aside, { recursive: true });
}

if (import.meta.main) {
  const folder = join(root, 'out', 'library');
  await buildLibrary(folder);
  const { stdout } = await run('npm', ['pack', '--pack-destination', join(root, 'out')], { cwd: folder });
  process.stdout.write(`out/${stdout.trim()}\n`);
}
