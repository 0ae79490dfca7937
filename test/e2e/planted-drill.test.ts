import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const drill = join(root, 'local/drill.ts');

test('an app that keeps what it finds in a warm secondary ends green, and fails the drill', async () => {
  await using app = await plantOldBehaviour();
  const options = ['--devices', '400', '--seed', '7', '--story', 'warm-secondary', '--app', app.folder, '--json'];
  const failure: unknown = await run(process.execPath, [drill, ...options]).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 1, stderr: expect.stringContaining('failover with an empty body Succeeded') });
  const { stdout } = z.object({ stdout: z.string() }).parse(failure);
  const report = reportSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  expect(report.verdict).toBe('fail');
  const { devices, tags, endsTooSoon } = report.warmSecondary;
  expect(devices.moreThanOnce).toBeGreaterThan(0);
  expect(devices.unexpected).toBeGreaterThan(0);
  expect(tags.never).toBeGreaterThan(0);
  expect(tags.toOthers).toBeGreaterThan(0);
  expect(endsTooSoon).toBeGreaterThan(0);
}, 120_000);

const count = z.number();
const reportSchema = z.object({
  verdict: z.string(),
  warmSecondary: z.object({
    devices: z.object({ moreThanOnce: count, unexpected: count }),
    tags: z.object({ never: count, toOthers: count }),
    endsTooSoon: count,
  }),
});

/** What an app did before there were baselines: what lives in the target was newer, nothing went, and no expiry was compared. */
const oldBehaviour = [
  ['decision-table.js', 'return decideDifferent(view, around);', "return { row: '7', outcome: 'keptLive' };"],
  ['decision-table.js', ': decideAbsent(view, around);', ": { row: '15', outcome: 'onlyInTarget' };"],
  ['first-pass.js', 'if (isShorterThan(live, record, pass))', 'if (false)'],
] as const;

/** A copy of the build with that behaviour. */
async function plantOldBehaviour() {
  await mkdir(join(root, 'out'), { recursive: true });
  const folder = await mkdtemp(join(root, 'out', 'old-behaviour-'));
  await cp(await realpath(join(root, 'dist')), join(folder, 'dist'), { recursive: true });
  for (const name of ['package.json', 'host.json', 'src']) await symlink(join(root, name), join(folder, name));
  for (const [name, from, to] of oldBehaviour) {
    const file = join(folder, 'dist/src/core/restore/plan', name);
    const parts = (await readFile(file, 'utf8')).split(from);
    expect(parts).toHaveLength(2);
    await writeFile(file, parts.join(to));
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
