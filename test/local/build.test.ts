import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ensureBuilt } from '../../local/build.ts';
import { runHost } from '../../local/host/run-host.ts';

const run = promisify(execFile);

/** A project of two modules, of which each says the version it was compiled from. */
async function makeProject() {
  const root = await mkdtemp(join(tmpdir(), 'build-'));
  const write = (file: string, text: string) => writeFile(join(root, file), text);
  await Promise.all(['functions', 'src/cli'].map((folder) => mkdir(join(root, folder), { recursive: true })));
  await symlink(resolve(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'), 'dir');
  const compilerOptions = { module: 'nodenext', types: [], skipLibCheck: true, rewriteRelativeImportExtensions: true };
  await write('tsconfig.json', JSON.stringify({ compilerOptions }));
  await write(
    'tsconfig.build.json',
    JSON.stringify({ compilerOptions: { ...compilerOptions, rootDir: '.' }, include: ['functions', 'src'] }),
  );
  await write('package.json', JSON.stringify({ name: 'project', type: 'module', main: 'dist/functions/*.js' }));
  await write('package-lock.json', '{}');
  await write('src/cli/main.ts', 'export {};\n');
  await write('host.json', JSON.stringify({ version: '2.0' }));
  await write('bin.js', `const { versions } = await import('./dist/functions/app.js'); console.log(versions.join());`);
  const setVersion = async (version: number | string) => {
    await write('src/part.ts', `export const part = ${JSON.stringify(version)};\n`);
    await write(
      'functions/app.ts',
      `import { app } from '@azure/functions';
      import { part } from '../src/part.ts';
      export const versions = [${JSON.stringify(version)}, part];
      app.get('versions', { authLevel: 'anonymous', handler: () => ({ jsonBody: versions }) });\n`,
    );
  };
  await setVersion(0);
  return { root, write, setVersion, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

const readVersions = async (root: string) => (await run(process.execPath, [join(root, 'bin.js')])).stdout.trim();

async function askHost(root: string): Promise<unknown> {
  const host = await runHost({ appDir: root, isQuiet: true, log: () => {} });
  try {
    return await (await fetch(`${host.url}/api/versions`)).json();
  } finally {
    await host.close();
  }
}

test('whatever starts while builds run, two at once, finds one complete build', async () => {
  await using project = await makeProject();
  const { root } = project;
  await ensureBuilt(root);
  let isBuilding = true;
  const builds = (async () => {
    for (let version = 1; version <= 4; version += 1) {
      await project.setVersion(version);
      await Promise.all([ensureBuilt(root), ensureBuilt(root)]);
    }
  })().finally(() => {
    isBuilding = false;
  });
  const seen: string[] = [];
  while (isBuilding) {
    seen.push(await readVersions(root));
    seen.push(String(await askHost(root)));
  }
  await builds;
  expect(seen.length).toBeGreaterThan(4);
  expect(seen.filter((versions) => !/^(\d),\1$/.test(versions))).toEqual([]);
  expect(await readVersions(root)).toBe('4,4');
});

test('what is built already is not compiled again, and changed or restored sources are never served stale', async () => {
  await using project = await makeProject();
  const { root } = project;
  const builds = () => readdir(join(root, 'out', 'builds'));
  await ensureBuilt(root);
  const first = await builds();
  await ensureBuilt(root);
  expect(await builds()).toEqual(first);
  await project.setVersion('next');
  await ensureBuilt(root);
  expect(await readVersions(root)).toBe('next,next');
  expect(await builds()).toHaveLength(2);
  await project.setVersion(0);
  await ensureBuilt(root);
  expect(await readVersions(root)).toBe('0,0');
  expect(await builds()).toHaveLength(2);
});

test('sources that do not compile are refused with the message of the compiler, and the last build stays', async () => {
  await using project = await makeProject();
  const { root } = project;
  await ensureBuilt(root);
  await project.write('src/part.ts', 'export const part: number = "text";\n');
  await expect(ensureBuilt(root)).rejects.toThrow(/does not compile:\nsrc\/part\.ts.*TS2322/);
  expect(await readVersions(root)).toBe('0,0');
  expect(await readdir(join(root, 'out', 'builds'))).toHaveLength(1);
});

test('a folder left by an older build gives way to the link', async () => {
  await using project = await makeProject();
  const { root } = project;
  await mkdir(join(root, 'dist', 'functions'), { recursive: true });
  await project.write('dist/functions/app.js', 'export const versions = ["old"];\n');
  await ensureBuilt(root);
  expect(await readVersions(root)).toBe('0,0');
});
