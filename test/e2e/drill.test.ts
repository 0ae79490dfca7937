import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { unpackPackage } from '../support/unpacked-package.ts';

const run = promisify(execFile);
const drill = fileURLToPath(new URL('../../local/drill.ts', import.meta.url));

/** CI names Node 22 here, on which the cloud may run the app. */
const hostNode = process.env['HOST_NODE'];

/** The drill's report about what is deployed, unpacked where nothing else is. */
async function drillPackage(...options: string[]): Promise<unknown> {
  await using app = await unpackPackage();
  const fixed = ['--app', app.folder, '--devices', '500', '--seed', '7', '--json'];
  const { stdout } = await run(process.execPath, [drill, ...fixed, ...options]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const disaster = {
  verdict: 'pass',
  deliveredNever: 0,
  deliveredMoreThanOnce: 0,
  failed: 0,
  keptLive: expect.any(Number),
  created: expect.any(Number),
};

const thereAndBack = { verdict: 'pass', writtenBetweenEqualHubs: 0, conflicts: expect.any(Number), withdrawn: 0 };

/** `npm run soak` rehearses all stories. CI restores in the others elsewhere: in `worst-night` and `runbook`. */
const stories = inject('isSoak') ? [] : ['--story', 'disaster', '--story', 'warm-secondary'];

test('what is deployed passes the drill', async () => {
  const report = await drillPackage(...stories, ...(hostNode === undefined ? [] : ['--host-node', hostNode]));
  expect(report).toMatchObject(disaster);
  expect(report).toMatchObject({
    warmSecondary: {
      verdict: 'pass',
      counts: { failed: 0, updated: expect.any(Number), withdrawn: expect.any(Number), renewed: expect.any(Number) },
      devices: { never: 0, moreThanOnce: 0, unexpected: 0 },
      tags: { never: 0, moreThanOnce: 0, toOthers: 0 },
      endsTooSoon: 0,
    },
    ...(inject('isSoak') ? { thereAndBack } : {}),
  });
}, 480_000);

test.skipIf(hostNode === undefined)(
  'and its first story on the other Node',
  async () => {
    expect(await drillPackage('--story', 'disaster')).toMatchObject(disaster);
  },
  480_000,
);

test('a wrong option ends with 2 and says how to call it', async () => {
  const failure = await run(process.execPath, [drill, '--devices', 'many']).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('npm run drill') });
});
