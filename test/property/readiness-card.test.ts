import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documents } from '../../src/app/stored/documents.ts';
import { checksummed } from '../../src/app/stored/envelopes.ts';
import { type ReadinessCard, withRun } from '../../src/core/readiness/card.ts';
import type { BackupRun, RestoreRun, Run } from '../../src/core/run/run.ts';

const NAME = '_status/one/devices/readiness.json';
const { readinessCard } = documents;
const FIRST_MS = Date.parse('2026-11-23T09:00:00Z');

const instant = fc.nat({ max: 1_000_000 }).map((seconds) => new Date(FIRST_MS + seconds * 1000).toISOString());
const count = fc.nat();
const hub = fc.record({ namespace: fc.string(), hub: fc.string() });
const optional = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });

const common = {
  formatVersion: fc.constant(1 as const),
  id: fc.stringMatching(/^[a-z]{1,3}$/),
  requestedBy: fc.constantFrom('timer' as const, 'http' as const),
  createdAt: instant,
  hub,
  shardCount: count,
  kicks: count,
  warnings: fc.array(fc.string(), { maxLength: 2 }),
  status: fc.constantFrom('Running' as const, 'Succeeded' as const, 'Failed' as const),
};
const phase = (names: readonly Run['phase']['name'][]) =>
  fc.record({
    name: fc.constantFrom(...names),
    pass: fc.integer({ min: 1, max: 5 }),
    isDispatched: fc.boolean(),
    startedAt: instant,
  });
const backup: fc.Arbitrary<BackupRun> = fc.record({
  ...common,
  kind: fc.constant('backup' as const),
  phase: phase(['scan', 'seal', 'publish']),
});
const restore: fc.Arbitrary<RestoreRun> = fc.record({
  ...common,
  kind: fc.constant('restore' as const),
  phase: phase(['scan', 'seal', 'reconcile', 'finish']),
  request: fc.record({
    purpose: fc.constantFrom('restore' as const, 'retry' as const),
    snapshotId: fc.string(),
    askedSnapshot: fc.string(),
    target: fc.constant('secondary' as const),
    sourceHub: hub,
    onConflict: fc.constant('keep' as const),
    dryRun: fc.boolean(),
    expiryFloorAt: instant,
  }),
  recordCount: count,
});

const counts = fc.record({
  records: count,
  installations: count,
  registrations: count,
  templates: count,
  byPlatform: fc.dictionary(fc.stringMatching(/^[A-Z][a-z]{1,8}$/), count, { maxKeys: 3 }),
});
const churn = fc.record({ sinceSnapshotId: fc.string(), seconds: count, added: count, changed: count });

const card: fc.Arbitrary<ReadinessCard> = fc.record({
  judgedAt: instant,
  isExpired: optional(fc.boolean()),
  watchedAt: optional(instant),
  secondary: hub,
  latest: optional(
    fc.record({
      id: fc.string(),
      readStartedAt: instant,
      readFinishedAt: instant,
      counts,
      damagedAt: optional(instant),
      churn: optional(churn),
      coverage: optional(fc.record({ of: fc.string(), total: count, registered: count, restored: count })),
    }),
  ),
  passedOver: fc.array(fc.string(), { maxLength: 3 }),
  proven: optional(
    fc.record({
      id: fc.string(),
      how: fc.constantFrom('verified' as const, 'drill' as const, 'restore' as const, 'sync' as const),
      at: instant,
      readStartedAt: instant,
    }),
  ),
  provenAt: optional(instant),
  backups: fc.array(backup, { maxLength: 4 }),
  backupProgress: optional(fc.record({ runId: fc.string(), rowsRead: count, beatAt: optional(fc.string()) })),
  restore: optional(restore),
  devicesInTarget: optional(count),
  pace: optional(
    fc.record({
      runId: fc.string(),
      basis: fc.constantFrom('restore' as const, 'drill' as const),
      recordsPerSecond: fc.double({ min: 0.1, max: 1e6, noNaN: true }),
    }),
  ),
  lastDrill: optional(
    fc.record({
      formatVersion: fc.constant(1 as const),
      id: fc.string(),
      requestedBy: fc.constantFrom('timer' as const, 'http' as const),
      createdAt: instant,
      snapshotId: fc.string(),
      stage: fc.constant('over' as const),
      stageSince: instant,
      failure: optional(fc.string()),
      verdict: optional(fc.constantFrom('Passed' as const, 'Failed' as const)),
    }),
  ),
  openAlerts: fc.array(fc.record({ code: fc.string(), since: fc.string(), message: fc.string() }), { maxLength: 2 }),
});

test('a card is read as it was written', () => {
  fc.assert(
    fc.property(card, (written) => {
      const read = readinessCard.open(NAME, readinessCard.pack(NAME, written));
      expect(read).toEqual(written);
      const bytes = readinessCard.pack(NAME, read);
      expect(readinessCard.pack(NAME, readinessCard.open(NAME, bytes))).toEqual(bytes);
    }),
  );
});

test('a card of another version, or with a field more or less, is refused by name', () => {
  fc.assert(
    fc.property(card, fc.constantFrom('version', 'more', 'less'), (written, how) => {
      const { passedOver: _, ...rest } = written;
      const whole = { formatVersion: 1, ...written };
      const less = { formatVersion: 1, ...rest };
      const changed = { version: { ...whole, formatVersion: 2 }, more: { ...whole, extra: 1 }, less }[how];
      expect(() => readinessCard.open(NAME, checksummed.wrap(NAME, changed))).toThrow(NAME);
    }),
  );
});

const STEPS = [
  ['scan', 1],
  ['seal', 1],
  ['reconcile', 1],
  ['scan', 2],
  ['finish', 2],
] as const;

/** A run's documents, one a phase, and its end in the last of them. */
function livesOf(run: RestoreRun): RestoreRun[] {
  const running = STEPS.map(
    ([name, pass]): RestoreRun => ({ ...run, status: 'Running', phase: { ...run.phase, name, pass } }),
  );
  return [...running, ...running.slice(-1).map((last): RestoreRun => ({ ...last, status: 'Succeeded' }))];
}

test('in whatever order the moves of a run are noted, the card ends with the last of them', () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 1 });
  fc.assert(
    fc.property(card, restore, order, (before, run, noted) => {
      const lives = livesOf(run);
      const empty: ReadinessCard = { ...before, restore: undefined };
      const after = noted.reduce((sofar, index) => withRun(sofar, lives[index] ?? run) ?? sofar, empty);
      expect(after.restore).toEqual(lives[Math.max(...noted)]);
    }),
  );
});

test('the card shows the newest restore and the last four backups, newest first, whenever they are noted', () => {
  const runs = fc.uniqueArray(fc.oneof(backup, restore), { selector: ({ createdAt }) => createdAt, maxLength: 8 });
  fc.assert(
    fc.property(card, runs, (before, noted) => {
      const named = noted.map((run, index) => ({ ...run, id: `run-${index}` }));
      const empty: ReadinessCard = { ...before, backups: [], restore: undefined };
      const after = named.reduce((sofar: ReadinessCard, run) => withRun(sofar, run) ?? sofar, empty);
      const newest = named.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
      expect(after.backups).toEqual(newest.filter(({ kind }) => kind === 'backup').slice(0, 4));
      expect(after.restore).toEqual(newest.find(({ kind }) => kind === 'restore'));
    }),
  );
});
