import { expect, test } from 'vitest';
import { noCounts } from '../../src/core/restore/totals.ts';
import { type RestoreRun, restoreSchema } from '../../src/core/run/run.ts';
import { HubStore } from './hub-store.ts';
import { drawKnobs } from './knobs.ts';
import { Facts } from './oracle/facts.ts';
import { judgeAnswer } from './oracle/requests.ts';
import { excuseForReturn } from './oracle/returns.ts';
import { judgeRollback } from './oracle/rollbacks.ts';
import { isRestore, type KnownRestore } from './oracle/runs.ts';
import { randomOf } from './random.ts';
import type { Row } from './row.ts';
import { Scheduler } from './scheduler.ts';
import { Container } from './storage.ts';
import { Truth, type Word } from './truth.ts';

const at = '2026-11-23T09:00:00.000Z';
const knobs = drawKnobs(1);

/** A world in which nothing has happened; `passes` lets that time pass. */
function openFacts() {
  const random = randomOf(1, 'test');
  const scheduler = new Scheduler(Date.parse(at), random);
  const container = new Container(scheduler, 0, () => {});
  const late = { ...knobs.primary, installationDelayMs: [100_000, 125_000] as const };
  const hubs = new Map(['p', 's'].map((name) => [name, new HubStore(name, late, { scheduler, random, observe() {} })]));
  const parts = { scheduler, container, truth: new Truth(), hubs, knobs };
  const facts = new Facts({ ...parts, trace() {}, sometimes() {} });
  const passes = (milliseconds: number): Promise<void> => {
    scheduler.after(milliseconds, () => {});
    return scheduler.run(() => false);
  };
  return { facts, passes };
}

/** From the first hub into the second. */
function aRestore(
  facts: Facts,
  [from, to]: readonly [string, string],
  { request, ...over }: { readonly request?: Partial<RestoreRun['request']>; readonly [field: string]: unknown } = {},
): KnownRestore {
  const doc = restoreSchema.parse({
    ...{ id: `from ${from}`, kind: 'restore', status: 'Failed', createdAt: at, finishedAt: at, requestedBy: 'http' },
    ...{ hub: { namespace: to, hub: 'devices' }, shardCount: 4, recordCount: 2, kicks: 0, warnings: [] },
    phase: { name: 'finish', pass: 6, startedAt: at, isDispatched: true },
    request: {
      ...{ purpose: 'restore', snapshotId: 's1', askedSnapshot: 's1', target: 'secondary', onConflict: 'keep' },
      ...{ sourceHub: { namespace: from, hub: 'devices' }, dryRun: false, expiryFloorAt: at },
      ...request,
    },
    ...over,
  });
  const run = facts.runs.store(doc, facts.now, undefined);
  if (!isRestore(run)) throw new TypeError('It is a restore.');
  return run;
}

test.each([
  { goneInTarget: 2, removedByService: 2, found: [] },
  { goneInTarget: 2, removedByService: 1, found: ['keptOutThoughAskedFor'] },
])('what a hub removes again was not kept out: $removedByService of $goneInTarget', (one) => {
  const { facts } = openFacts();
  const result = {
    counts: { ...noCounts, total: 2, goneInTarget: one.goneInTarget },
    removedByService: one.removedByService,
    ...{ duplicatesCollapsed: 0, repaired: 0, changedSince: 0, secondsLostToThrottling: 0 },
    ...{ failuresByCode: {}, passes: 6 },
  };
  judgeAnswer(facts, aRestore(facts, ['p', 's'], { request: { resurrect: true }, result }));
  expect(facts.violations.map(({ kind }) => kind)).toEqual(one.found);
});

/** A device speaks at a hub: the same number is the same content. Gives its row. */
function speak(facts: Facts, hub: string, number: number, installationId?: string): Row {
  const content = { number, platform: 'Apple', handle: 'AA', body: undefined, installationId } as const;
  const tags = [`c${number}`];
  const { number: word } = facts.truth.say({ device: 1, hub, at: facts.now, content: { ...content, tags } });
  const { number: _, ...description } = { ...content, tags };
  const by = { kind: 'device', word } as const;
  return { ...description, id: '1-1-1', etag: 1, expiresAt: undefined, appliedAt: facts.now, by };
}

function leave(facts: Facts, hub: string): Word {
  return facts.truth.say({ device: 1, hub, at: facts.now, content: 'out' });
}

test('a device has left as what a row says once it has said that, not before', async () => {
  const { facts, passes } = openFacts();
  facts.noteRole('p', true);
  speak(facts, 'p', 1, 'device-1');
  leave(facts, 'p');
  speak(facts, 'p', 2);
  leave(facts, 'p');
  await passes(1000);
  facts.noteRole('s', true);
  await passes(1000);
  // A restore brings that to the hub that is not in use any more, where it leaves again.
  const row = speak(facts, 's', 3, 'device-1');
  await passes(1000);
  const out = leave(facts, 'p');
  const run = aRestore(facts, ['s', 'p']);
  run.before = [row];
  expect(excuseForReturn(facts, run, 'p', row, out)).toBe('resurrectedWhereNotInUse');
});

test('what a hub carried out after the end of its run looks like a device that is back, also when that speaks right after the snapshot', async () => {
  const { facts, passes } = openFacts();
  facts.noteRole('s', true);
  const row = speak(facts, 's', 1);
  await passes(1000);
  const out = leave(facts, 's');
  const late = aRestore(facts, ['s', 'p']);
  late.endedAt = facts.now;
  await passes(100_000);
  facts.noteToolChange('p', row, late.id);
  facts.noteRole('p', true);
  await passes(1000);
  speak(facts, 'p', 2);
  const run = aRestore(facts, ['p', 's']);
  run.before = [row];
  expect(excuseForReturn(facts, run, 's', row, out)).toBe('resurrectedByAStray');
});

test.each([
  { lookedAfterMs: 0, found: [] },
  { lookedAfterMs: 1, found: ['rollbackLost'] },
])('what a hub takes away for a call given up is lost if a look comes $lookedAfterMs ms later', async (one) => {
  const { facts, passes } = openFacts();
  const row = speak(facts, 's', 1, 'device-1');
  await passes(1000);
  const undone = aRestore(facts, ['p', 's'], { id: 'r1', status: 'Succeeded' });
  undone.firstListedAt = facts.now;
  undone.before = [row];
  const request = { purpose: 'rollback', of: undone.id } as const;
  const run = aRestore(facts, ['p', 's'], { id: 'r2', status: 'Succeeded', request });
  facts.noteLateRemoval('s', row);
  run.listedAt.set('s', facts.now + one.lookedAfterMs);
  judgeRollback(facts, run, '');
  expect(facts.violations.map(({ kind }) => kind)).toEqual(one.found);
});
