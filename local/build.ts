import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { glob, lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cliFileName } from '../src/cli-file.ts';

const ownRoot = fileURLToPath(new URL('..', import.meta.url));
const compiler = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
/** By then every program that found a replaced build has loaded it. */
const keptMs = 60 * 60 * 1000;

/**
 * Compiles `functions` and `src`, and bundles the terminal tool, unless that was done for these very sources, and points `dist` at the result. `dist`
 * is a symbolic link that is replaced by a rename, so a program that starts meanwhile finds a complete build, and Node
 * loads all of it from the folder the link led to. Builds at the same time do not disturb each other: the last link wins.
 * Throws with the compiler's output when it refuses; `dist` stays as it was.
 */
export async function ensureBuilt(root = ownRoot): Promise<void> {
  const builds = join(root, 'out', 'builds');
  await mkdir(builds, { recursive: true });
  for (;;) {
    const fingerprint = await fingerprintOf(root);
    const isNew = (await lstat(join(builds, fingerprint)).catch(unless('ENOENT'))) === undefined;
    const isBuilt = !isNew || (await compile(root, builds, fingerprint));
    if (isBuilt) return link(root, builds, fingerprint);
  }
}

/** Of everything the compiled text depends on. */
async function fingerprintOf(root: string): Promise<string> {
  const files = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  for await (const file of glob(['functions/**/*.ts', 'src/**/*.ts'], { cwd: root })) files.push(file);
  const texts = await Promise.all(files.sort().map((file) => readFile(join(root, file))));
  const hash = createHash('sha256');
  for (const [index, text] of texts.entries()) hash.update(`${files[index]} ${text.length}\n`).update(text);
  return hash.digest('hex').slice(0, 16);
}

/** Gives `false` when a source changed meanwhile: what came out is then of no known source and is dropped. */
async function compile(root: string, builds: string, fingerprint: string): Promise<boolean> {
  const aside = join(builds, `unfinished-${randomUUID()}`);
  try {
    const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(aside, 'dist')];
    await promisify(execFile)(process.execPath, [compiler, ...options], { cwd: root }).catch((error) => {
      throw new Error(`The app does not compile:\n${error.stdout}${error.stderr}`, { cause: error });
    });
    // Loaded only here: most programs that ask for a build find one.
    const { buildCli } = await import('./build-cli.ts');
    await buildCli(root, join(aside, 'dist', cliFileName));
    if ((await fingerprintOf(root)) !== fingerprint) return false;
    // Another build of the same sources may have been faster; its result is as good.
    await rename(aside, join(builds, fingerprint)).catch(unless('ENOTEMPTY', 'EEXIST'));
    return true;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function link(root: string, builds: string, fingerprint: string): Promise<void> {
  const [dist, target] = [join(root, 'dist'), join('out', 'builds', fingerprint, 'dist')];
  const now = new Date();
  await utimes(join(builds, fingerprint), now, now);
  const current = await lstat(dist).catch(unless('ENOENT'));
  if (current?.isSymbolicLink() === true && (await readlink(dist)) === target) return;
  const aside = join(builds, `link-${randomUUID()}`);
  await symlink(target, aside, 'dir');
  // Only a folder that another tool compiled into has to go first: a rename does not replace it.
  if (current?.isDirectory() === true) await rename(dist, join(builds, `found-${randomUUID()}`));
  await rename(aside, dist);
  await removeOld(builds, fingerprint);
}

async function removeOld(builds: string, fingerprint: string): Promise<void> {
  for (const name of await readdir(builds)) {
    const found = await stat(join(builds, name)).catch(unless('ENOENT'));
    const isOld = found !== undefined && Date.now() - found.mtimeMs > keptMs;
    if (isOld && name !== fingerprint) await rm(join(builds, name), { recursive: true, force: true });
  }
}

/** For `catch`: gives `undefined` for an error with one of these codes and throws any other. */
export function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && codes.includes(String(error.code))) return undefined;
    throw error;
  };
}

if (import.meta.main) {
  await ensureBuilt().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  });
}
