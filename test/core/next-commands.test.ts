import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { nextActionsOf } from '../../src/core/restore/next-actions.ts';
import { noCounts } from '../../src/core/restore/totals.ts';
import { type RestoreRun, restoreSchema } from '../../src/core/run/run.ts';

const hubs = [
  { namespace: 'one', hub: 'devices' },
  { namespace: 'three', hub: 'devices' },
] as const;

const at = '2026-11-23T09:00:00.000Z';

function aRestore(request: Partial<RestoreRun['request']>, over: Partial<RestoreRun> = {}): RestoreRun {
  return restoreSchema.parse({
    ...{ id: 'r1', kind: 'restore', status: 'Succeeded', createdAt: at, finishedAt: at, requestedBy: 'http' },
    ...{ hub: hubs[1], shardCount: 4, recordCount: 100, kicks: 0, warnings: [] },
    phase: { name: 'finish', pass: 2, startedAt: at, isDispatched: true },
    request: {
      ...{ purpose: 'restore', snapshotId: 's1', askedSnapshot: 'latest', target: 'secondary', sourceHub: hubs[0] },
      ...{ onConflict: 'keep', dryRun: false, expiryFloorAt: at },
      ...request,
    },
    ...over,
  });
}

function commandOf(run: RestoreRun, wanted: string): string | undefined {
  const counts = { ...noCounts, total: 100, created: 100 };
  return nextActionsOf(run, { counts, attempted: 0 }).find(({ name }) => name === wanted)?.command;
}

test('the restore offered after a dry run is about the same devices, in the same order', async () => {
  const only = { platforms: ['Apple', 'Adm'], tags: "it's && !beta", userIds: ['ada'] };
  const order = [{ platforms: ['Apple'], tags: 'vip' }, { tags: 'a || b' }];
  const run = aRestore({ dryRun: true, leftovers: 'keep', resurrect: true, only, order });
  const { stdout } = await promisify(execFile)('sh', ['-c', `printf '%s\\n' ${commandOf(run, 'restore')}`]);
  expect(stdout.trim().split('\n')).toEqual([
    ...['restore', '--snapshot', 's1', '--target', 'secondary', '--only-platforms', 'Apple,Adm'],
    ...['--only-tags', "it's && !beta", '--only-users', 'ada'],
    ...['--order', 'platforms=Apple;tags=vip', '--order', 'tags=a || b'],
    ...['--leftovers', 'keep', '--resurrect', '--watch'],
  ]);
});

test('a dry run of a switch leads to the command that switches; of a named snapshot, to its restore', () => {
  const request = { dryRun: true, activate: true, onConflict: 'overwrite' } as const;
  expect(commandOf(aRestore({ ...request, isFailback: true }), 'restore')).toBe(
    'failback --no-dry-run --on-conflict overwrite',
  );
  expect(commandOf(aRestore(request), 'restore')).toBe('failover --no-dry-run --on-conflict overwrite');
  expect(commandOf(aRestore({ ...request, askedSnapshot: 's1' }), 'restore')).toBe(
    'restore --snapshot s1 --target secondary --on-conflict overwrite --activate --watch',
  );
});

test('a switch is called back only into the hub that was in use first, and once done is not offered again', () => {
  const failback = at.replace('23', '24');
  const terms = [
    { hub: hubs[0], since: new Date(0).toISOString() },
    { hub: hubs[1], since: at },
    { hub: hubs[0], since: failback },
  ];
  const second = { activate: true, isFailback: true };
  expect(commandOf(aRestore({ ...second, dryRun: true }, { terms }), 'restore')).toBe('failover --no-dry-run');
  const failed = aRestore(second, { terms, status: 'Failed' });
  expect(commandOf(failed, 'restoreAgain')).toBe('failover --no-dry-run');
  const counts = { ...noCounts, total: 100, created: 97, failed: 3 };
  const done = nextActionsOf(failed, { counts, attempted: 0, activatedAt: at });
  expect(done.map(({ name }) => name)).toEqual(['failures', 'retry', 'backup', 'report', 'rollback']);
  const back = { hub: hubs[0], terms: terms.slice(0, 2) };
  expect(commandOf(aRestore({ ...second, dryRun: true, target: 'primary' }, back), 'restore')).toBe(
    'failback --no-dry-run',
  );
});

test('a rollback that failed leads to the rollback of the restore it was of', () => {
  const run = aRestore({ purpose: 'rollback', of: 'r0' }, { status: 'Failed' });
  expect(commandOf(run, 'rollback')).toBe('rollback r0 --watch');
});

test('what writes into the hub in use says so, and needs its name', () => {
  const counts = { ...noCounts, total: 100, created: 97, failed: 3 };
  const flagsOf = (isInUse: boolean, run = aRestore({}, { status: 'Failed' })) =>
    nextActionsOf(run, { counts, attempted: 0 }, { isInUse }).map(({ name, needsConfirm, writesToHubInUse }) =>
      [name, needsConfirm && 'name', writesToHubInUse && 'in use'].filter(Boolean).join(' '),
    );
  expect(flagsOf(false)).toEqual(['failures', 'retry', 'report', 'restoreAgain', 'rollback name']);
  expect(flagsOf(true)).toEqual([
    ...['failures', 'retry name in use', 'report'],
    ...['restoreAgain name in use', 'rollback name in use'],
  ]);
  const dryRun = aRestore({ dryRun: true }, { status: 'Failed' });
  expect(flagsOf(true, dryRun)).toContain('restoreAgain');
});

test('a rollback that ended well leads to another snapshot, but not that of a drill', () => {
  expect(commandOf(aRestore({ purpose: 'rollback', of: 'r0' }), 'chooseAnother')).toBe('snapshots');
  expect(commandOf(aRestore({ purpose: 'rollback', of: 'r0', target: 'drill' }), 'chooseAnother')).toBeUndefined();
  expect(commandOf(aRestore({ purpose: 'rollback', of: 'r0' }, { status: 'Failed' }), 'chooseAnother')).toBeUndefined();
  expect(commandOf(aRestore({}), 'chooseAnother')).toBeUndefined();
});
