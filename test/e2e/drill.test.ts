import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const drill = fileURLToPath(new URL('../../local/drill.ts', import.meta.url));

test('the drill passes and its last line is its report', async () => {
  const { stdout } = await run(process.execPath, [drill, '--devices', '800', '--seed', '7', '--json']);
  const report: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(report).toMatchObject({ verdict: 'pass', deliveredNever: 0, deliveredMoreThanOnce: 0, failed: 0 });
  expect(report).toMatchObject({ keptLive: expect.any(Number), created: expect.any(Number) });
}, 120_000);

test('a wrong option ends with 2 and says how to call it', async () => {
  const failure = await run(process.execPath, [drill, '--devices', 'many']).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('npm run drill') });
});
