import { expect, test } from 'vitest';
import { noCounts } from '../../src/core/restore/totals.ts';
import { restoreSchema } from '../../src/core/run/run.ts';
import { drawKnobs } from './knobs.ts';
import { Facts } from './oracle/facts.ts';
import { judgeAnswer } from './oracle/requests.ts';
import { isRestore } from './oracle/runs.ts';
import { randomOf } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { Container } from './storage.ts';
import { Truth } from './truth.ts';

const at = '2026-11-23T09:00:00.000Z';
const hub = { namespace: 's', hub: 'devices' };
const nothing = (): void => {};

function openFacts(): Facts {
  const scheduler = new Scheduler(Date.parse(at), randomOf(1, 'test'));
  const container = new Container(scheduler, 0, nothing);
  const parts = { scheduler, container, truth: new Truth(), hubs: new Map(), knobs: drawKnobs(1) };
  return new Facts({ ...parts, trace: nothing, sometimes: nothing });
}

test.each([
  { goneInTarget: 2, removedByService: 2, found: [] },
  { goneInTarget: 2, removedByService: 1, found: ['keptOutThoughAskedFor'] },
])('what a hub removes again was not kept out: $removedByService of $goneInTarget', (one) => {
  const facts = openFacts();
  const doc = restoreSchema.parse({
    ...{ id: 'r1', kind: 'restore', status: 'Failed', createdAt: at, finishedAt: at, requestedBy: 'http' },
    ...{ hub, shardCount: 4, recordCount: 2, kicks: 0, warnings: [] },
    phase: { name: 'finish', pass: 6, startedAt: at, isDispatched: true },
    request: {
      ...{ purpose: 'restore', snapshotId: 's1', askedSnapshot: 's1', target: 'secondary', resurrect: true },
      ...{ sourceHub: { namespace: 'p', hub: 'devices' }, onConflict: 'keep', dryRun: false, expiryFloorAt: at },
    },
    result: {
      counts: { ...noCounts, total: 2, goneInTarget: one.goneInTarget },
      removedByService: one.removedByService,
      ...{ duplicatesCollapsed: 0, repaired: 0, changedSince: 0, secondsLostToThrottling: 0 },
      ...{ failuresByCode: {}, passes: 6 },
    },
  });
  const run = facts.runs.store(doc, facts.now, undefined);
  if (isRestore(run)) judgeAnswer(facts, run);
  expect(facts.violations.map(({ kind }) => kind)).toEqual(one.found);
});
