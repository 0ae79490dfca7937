import { copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';
import { cliFileName } from '../src/cli-file.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { buildCli } from './build-cli.ts';
import { noticesOf, packagesOf } from './licences.ts';
import { requiredHttp } from './required-http.ts';

export interface BuiltPackage {
  readonly folder: string;
  readonly version: string;
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
 * loaded only sometimes stays a file of its own), the console, the terminal tool, `host.json`, a `package.json` without
 * dependencies, the licences, the bill of materials.
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
  const app = ownPackage.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const { name, version } = app;
  const bill = await billOfMaterials(root, { name, version }, await packagesOf(root, metafile));
  await writeJson(join(folder, 'package.json'), { ...app, private: true, type: 'module', main: 'main.js' });
  await writeJson(join(folder, 'sbom.cdx.json'), bill);
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), await noticesOf(root, metafile));
  for (const file of ['host.json', 'LICENSE']) await copyFile(join(root, file), join(folder, file));
  await copyConsole(folder);
  await buildCli(root, join(folder, cliFileName));
  return { folder, version, ...(await sizeOf(folder)) };
}

function writeJson(path: string, document: object): Promise<void> {
  return writeFile(path, `${JSON.stringify(document, undefined, 2)}\n`);
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

async function sizeOf(folder: string): Promise<Pick<BuiltPackage, 'fileCount' | 'bytes'>> {
  let [fileCount, bytes] = [0, 0];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    fileCount += 1;
    bytes += (await stat(join(folder, relative(folder, entry.parentPath), entry.name))).size;
  }
  return { fileCount, bytes };
}
