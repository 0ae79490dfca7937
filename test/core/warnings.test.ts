import { expect, test } from 'vitest';
import { warningsOf } from '../../src/core/restore/plan/warnings.ts';
import { restoreSchema } from '../../src/core/run/run.ts';

const at = '2026-11-23T09:00:00.000Z';
const source = { namespace: 'two', hub: 'devices' };
const target = { namespace: 'one', hub: 'devices' };

/** Of a failback into a hub where 2,033 records were agreed on, and some are missing. */
function warned(absent: number, records: number, terms: readonly object[]): string[] {
  const run = restoreSchema.parse({
    ...{ id: 'r1', kind: 'restore', status: 'Running', createdAt: at, requestedBy: 'http', warnings: [] },
    ...{ hub: target, shardCount: 4, recordCount: 2033, kicks: 0, terms },
    baseline: { current: { runId: 'r0', shardCount: 4, at } },
    phase: { name: 'reconcile', pass: 1, startedAt: at, isDispatched: true },
    request: {
      ...{ purpose: 'restore', snapshotId: 's1', askedSnapshot: 'latest', target: 'primary', sourceHub: source },
      ...{ onConflict: 'keep', dryRun: true, isFailback: true, expiryFloorAt: at },
    },
    found: { rows: records, plan: { records, absent, doomed: 0, goneSince: 0 } },
  });
  return warningsOf(
    run,
    { isBaselineLost: false, areWritesUntold: false },
    { maxDeletePercent: 10, standbyDriftPercent: 10 },
  );
}

const wasInUse = [
  { hub: target, since: new Date(0).toISOString() },
  { hub: source, since: at },
];
const wasNot = [{ hub: source, since: new Date(0).toISOString() }];
const unless = 'they are created again, unless it has another record of the same device.';

test.each([
  ['an emptied hub', 2033, 0, wasInUse, `That is more than it still holds, so the hub lost them: ${unless} Nothing to`],
  [
    'many',
    500,
    1533,
    wasInUse,
    `MAX_DELETE_PERCENT (10) allows, so the hub lost them: ${unless} Only if these devices`,
  ],
  ['some', 30, 2003, wasInUse, 'what devices deleted there since stays out. With --resurrect it is created again.'],
  [
    'a hub never in use',
    30,
    2003,
    wasNot,
    `It was not in use, so no device deleted them: ${unless} Nothing to decide.`,
  ],
])(
  'what is missing in the target is said with what is done, and what to decide: %s',
  (_, absent, held, terms, part) => {
    expect(warned(absent, held, terms)).toEqual([expect.stringContaining(part)]);
  },
);
