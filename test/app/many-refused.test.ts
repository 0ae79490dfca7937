import { expect, test } from 'vitest';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { keyHashOf, shardOf } from '../../src/core/registration/record.ts';
import { handleIn } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { isNearlyAllRefused } from '../../src/core/run/amounts.ts';
import { aBackedUp, restore } from '../support/drive.ts';

test('1,500 refused of 3,000 are set aside, and the others are restored', async () => {
  const engine = await aBackedUp(3000);
  engine.secondary.intercept = (kind) =>
    kind === 'installation' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
  expect(await restore(engine)).toMatchObject({
    status: 'Failed',
    error: { code: 'RestoreIncomplete' },
    counts: { created: 1500, failed: 1500, pending: 0 },
  });
});

test('a restore of which nearly all is refused stops, and says how to go on', async () => {
  const engine = await aBackedUp(3000);
  engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
  const { error, counts } = await restore(engine);
  expect(error).toMatchObject({
    code: 'TooManyFailures',
    message: expect.stringMatching(/refused 1,\d+ of the 1,\d+ .*MAX_FAILURE_PERCENT \(90\).*--only-platforms\)\.$/),
  });
  expect(counts.failed).toBeGreaterThanOrEqual(1000);
  expect(counts.pending).toBeGreaterThan(0);
});

test('a retry tries what has failed before after all else', async () => {
  const engine = await aBackedUp(400);
  const isRefused = (id: string): boolean => /[02468]5-5-1$|^device-\d*[04]$/.test(id);
  const { run } = await startRestore(engine.app, parseRestoreRequest('{}'));
  let calls = 0;
  const failed = new Set<string>();
  const refuse = (id: string) => {
    if (!isRefused(id)) return undefined;
    failed.add(id);
    return { kind: 'rejected', status: 400, reason: 'Rejected' } as const;
  };
  engine.secondary.intercept = (_, id) => {
    calls += 1;
    if (calls === 200) void cancelRestore(engine.app, run.id);
    return refuse(id);
  };
  await engine.drain();
  const known = new Set(failed);
  expect(known.size).toBeGreaterThan(20);
  // What it wrote took no effect, and it has not looked at it again.
  engine.secondary.rows.clear();
  const order = new Map<number, boolean[]>();
  engine.secondary.intercept = (kind, id, body) => {
    const key = kind === 'installation' ? `i:${id}` : `d:apple:${handleIn(body)}`;
    const shard = shardOf(keyHashOf(key), run.shardCount);
    order.set(shard, [...(order.get(shard) ?? []), known.has(id)]);
    return refuse(id);
  };
  const { id } = await startRetry(engine.app, run.id);
  await engine.drain();
  const { counts } = await readRestoreView(engine.app, id);
  expect(counts).toMatchObject({ pending: 0, failed: failed.size });
  expect(counts.created).toBeGreaterThan(50);
  for (const tries of order.values()) expect(tries).toEqual(tries.toSorted());
  expect([...order.values()].some((tries) => tries[0] === false && tries.at(-1) === true)).toBe(true);
});

test('nearly all is a share of the writes, once there were enough of them', () => {
  expect(isNearlyAllRefused(999, 999, 90)).toBe(false);
  expect(isNearlyAllRefused(900, 1000, 90)).toBe(false);
  expect(isNearlyAllRefused(901, 1000, 90)).toBe(true);
  expect(isNearlyAllRefused(1000, 1000, 100)).toBe(false);
});
