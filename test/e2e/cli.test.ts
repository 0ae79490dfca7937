import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';

const main = fileURLToPath(new URL('../../dist/notification-hubs-dr.mjs', import.meta.url));

const devicesOf = (stats: unknown) => z.object({ devices: z.number() }).parse(stats);

let stack: Stack;

beforeAll(async () => {
  stack = await openStack({
    devices: 300,
    seed: 21,
    settings: { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '0' },
  });
});

afterAll(async () => {
  await stack.close();
});

/** The one-file tool as a process of its own, without a terminal. */
async function dr(...argv: string[]) {
  const env = {
    ...process.env,
    NOTIFICATION_HUBS_DR_USER: 'ada@console-1',
    NOTIFICATION_HUBS_DR_URL: stack.host.url,
    NOTIFICATION_HUBS_DR_KEY: stack.host.keys.default,
  };
  return new Promise<{ exitCode: number; out: string; err: string }>((resolve, reject) => {
    const child = execFile(process.execPath, [main, ...argv], { env }, (error, out, err) => {
      if (error === null || child.exitCode !== null) resolve({ exitCode: child.exitCode ?? 0, out, err });
      else reject(error);
    });
  });
}

test('from the first backup to a proven restore, each command does its part on the real stack', async () => {
  expect(await dr('status')).toMatchObject({ exitCode: 1, out: expect.stringMatching(/^NotReady: /) });
  expect(await dr('restore')).toMatchObject({ exitCode: 1, err: expect.stringMatching(/^NoGoodSnapshot: /) });

  const backup = await dr('backup', '--watch');
  expect(backup).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^Backup \S+: Succeeded .*\n.* good\n/) });
  const id = /snapshot (\S+):/.exec(backup.out)?.[1] ?? '';
  expect((await dr('status')).exitCode).toBe(0);
  expect((await dr('snapshots')).out).toMatch(new RegExp(`^${id} .* good `, 'm'));
  expect((await dr('pin', id)).out).toBe(`${id} is pinned.\n`);
  expect((await dr('snapshots')).out).toMatch(new RegExp(`^${id} .* yes `, 'm'));
  expect((await dr('unpin', id)).out).toBe(`${id} is not pinned.\n`);

  const drill = await dr('drill', '--watch');
  expect(drill).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^Drill \S+: Passed/) });
  expect((await dr('status')).out).toMatch(/^ +last drill +Passed \(verification\)/m);

  // No alert is sent in this stack.
  const doctor = await dr('doctor');
  expect(doctor).toMatchObject({
    exitCode: 1,
    out: expect.stringMatching(/^ +ok +storage: A blob was written, changed, read/m),
  });
  expect(doctor.out.match(/^ +WRONG .*$/gm)).toEqual(['  WRONG   alerts: No alert is sent.']);
  expect(await dr('compare')).toMatchObject({ exitCode: 0, out: expect.stringContaining('not compared: ') });
  expect((await dr('audit')).out).toMatch(/^\S+ +\S+ +drill +started \S+ +\S+ +[0-9a-f]{12}$/m);

  await stack.emulator.admin('POST', '/namespaces/primary/down');
  const rehearsed = await dr('restore', '--dry-run', '--watch');
  expect(rehearsed).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^Dry run .*: Succeeded/) });
  expect(rehearsed.out).toMatch(/^ +such as +to create: (installation|device) /m);
  expect(await stack.emulator.admin('GET', `${SECONDARY_HUB}/stats`)).toMatchObject({ devices: 0 });

  const restored = await dr('restore', '--id', 'night', '--watch', '--json');
  expect(restored.exitCode).toBe(0);
  expect(restored.err).toContain('Restore night started.');
  expect(JSON.parse(restored.out)).toMatchObject({
    id: 'night',
    status: 'Succeeded',
    counts: { failed: 0, pending: 0 },
  });
  expect(await dr('watch', 'night')).toMatchObject({ exitCode: 0, out: expect.stringContaining('proof    pass') });
  expect((await dr('failures', 'night')).out).toBe('No record failed.\n');
  expect((await dr('records', 'night', '--outcome', 'created')).out).toMatch(/^(installation|device) /m);
  expect((await dr('records', 'night', '--outcome', 'withdrawn')).out).toBe('There is no such record.\n');
  expect((await dr('records', 'night', '--outcome', 'lost')).err).toContain('outcome');
  expect((await dr('restores')).out).toMatch(/^night +.* Restore +Succeeded .* ada@console-1 /m);
}, 240_000);

test('what the hub refused is retried, reported and rolled back, each with its exit code', async () => {
  await stack.emulator.admin('POST', `${SECONDARY_HUB}/churn`, { remove: 1_000_000 });
  const refusing = { name: 'refused', method: 'PUT', probability: 0.1, seed: 1, status: 400 };
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', [refusing]);
  const partial = await dr('restore', '--id', 'partial', '--note', 'who and why', '--watch');
  expect(partial).toMatchObject({ exitCode: 3, out: expect.stringContaining('error    RestoreIncomplete: ') });
  expect((await dr('failures', 'partial')).out).toMatch(/^\d+ records? of \w+: Rejected \(HTTP 400\)$/m);
  expect(await dr('report', 'partial')).toMatchObject({ exitCode: 0, out: expect.stringContaining('who and why') });

  await stack.emulator.admin('POST', '/namespaces/secondary/faults', []);
  const retried = await dr('retry', 'partial', '--watch', '--json');
  expect(retried.exitCode).toBe(0);
  const retry = z.object({ id: z.string(), of: z.literal('partial') }).parse(JSON.parse(retried.out));
  expect(await dr('retry', retry.id)).toMatchObject({ exitCode: 1, err: expect.stringContaining('NothingToRetry: ') });

  const unasked = await dr('rollback', 'partial');
  const name = /A rollback changes (\S+\/devices)\b.* --confirm\.$/m.exec(unasked.err)?.[1] ?? unasked.err;
  const half = await dr('rollback', 'partial', '--confirm', 'devices');
  expect(half).toMatchObject({ exitCode: 1, err: expect.stringContaining('ConfirmationMissing') });
  expect(await dr('rollback', retry.id, '--confirm', name, '--watch')).toMatchObject({ exitCode: 0 });
  const undone = await dr('rollback', 'partial', '--confirm', name, '--watch');
  expect(undone).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^Rollback .* Succeeded.* removed/s) });
  expect(await stack.emulator.admin('GET', `${SECONDARY_HUB}/stats`)).toMatchObject({ devices: 0 });
}, 240_000);

test('a primary that lost its rows gets them back, once its name is typed', async () => {
  await stack.emulator.admin('POST', '/namespaces/primary/up');
  const { devices } = devicesOf(await stack.emulator.admin('GET', `${PRIMARY_HUB}/stats`));
  await stack.emulator.admin('POST', `${PRIMARY_HUB}/churn`, { remove: 1_000_000 });
  const unasked = await dr('restore', '--target', 'primary', '--watch');
  expect(unasked).toMatchObject({ exitCode: 1, err: expect.stringContaining('TargetIsSource') });
  const name = /The target, (\S+\/devices), is/.exec(unasked.err)?.[1] ?? unasked.err;
  const restored = await dr('restore', '--target', 'primary', '--confirm', name, '--watch');
  expect(restored).toMatchObject({ exitCode: 0, out: expect.stringContaining('Succeeded') });
  expect(await stack.emulator.admin('GET', `${PRIMARY_HUB}/stats`)).toMatchObject({ devices });
});

test('a wrong key and a wrong id are reported as such', async () => {
  const wrongKey = await dr('status', '--key', 'wrong');
  expect(wrongKey).toMatchObject({ exitCode: 1, err: expect.stringContaining('does not accept the key (401)') });
  expect(await dr('watch', 'nothing')).toMatchObject({ exitCode: 1, err: expect.stringContaining('RunNotFound') });
});
