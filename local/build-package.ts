import { copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { z } from 'zod';
import { requiredHttp } from './required-http.ts';

export interface BuiltPackage {
  readonly folder: string;
  readonly fileCount: number;
  readonly bytes: number;
}

/** What the platform supplies at run time; everything else is in the bundle. */
const SUPPLIED = ['@azure/functions-core'];

/** Some CommonJS packages inside ask for Node's modules when they run; an ES module has no `require` by itself. */
export const requireBanner =
  "import { createRequire as createRequireOf } from 'node:module';\nconst require = createRequireOf(import.meta.url);";

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Puts what is deployed into `folder`, which is emptied first: all functions and their packages as one module (what is
 * loaded only sometimes stays a file of its own), the console, `host.json`, a `package.json` without dependencies, the
 * licences.
 */
export async function buildPackage(folder: string): Promise<BuiltPackage> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    stdin: { contents: await entryText(), resolveDir: root, sourcefile: 'main.ts', loader: 'ts' },
    absWorkingDir: root,
    entryNames: 'main',
    chunkNames: 'chunks/[name]-[hash]',
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: SUPPLIED,
    plugins: [requiredHttp],
    banner: { js: requireBanner },
    // Names stay as they are, so that a stack in a log can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(await packageJson(), undefined, 2)}\n`);
  await copyFile(join(root, 'host.json'), join(folder, 'host.json'));
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await copyConsole(folder);
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(metafile));
  return { folder, ...(await sizeOf(folder)) };
}

/** The console is served unbuilt, from `src/console` of the app's folder. */
async function copyConsole(folder: string): Promise<void> {
  const place = join('src', 'console');
  await cp(join(root, place), join(folder, place), { recursive: true, filter: (path) => !/\.(ts|json)$/.test(path) });
}

/** The functions in the order in which the host loads their files. */
async function entryText(): Promise<string> {
  const files = (await readdir(join(root, 'functions'))).filter((file) => file.endsWith('.ts'));
  return files
    .sort()
    .map((file) => `import './functions/${file}';\n`)
    .join('');
}

const ownPackage = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
});

async function packageJson(): Promise<object> {
  const own = ownPackage.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return { ...own, private: true, type: 'module', main: 'main.js' };
}

const itsPackage = z.object({ name: z.string(), version: z.string(), license: z.string().default('see its site') });

/** The licence of every package of which something is in the bundle. */
async function noticesOf(metafile: Metafile): Promise<string> {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(used.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  const notices: string[] = [];
  for (const folder of [...folders].sort()) {
    const names = await readdir(join(root, folder));
    const { name, version, license } = itsPackage.parse(
      JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')),
    );
    const texts = names.filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
    const read = texts.map((file) => readFile(join(root, folder, file), 'utf8'));
    notices.push([`${name} ${version} (${license})`, ...(await Promise.all(read))].join('\n\n'));
  }
  return `${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

async function sizeOf(folder: string): Promise<Pick<BuiltPackage, 'fileCount' | 'bytes'>> {
  let [fileCount, bytes] = [0, 0];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    fileCount += 1;
    bytes += (await stat(join(folder, relative(folder, entry.parentPath), entry.name))).size;
  }
  return { fileCount, bytes };
}
