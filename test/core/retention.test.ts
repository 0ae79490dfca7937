import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeptSnapshot, snapshotsToDelete } from '../../src/core/snapshot/retention.ts';

const HOUR = 3_600_000;
const now = Date.parse('2026-11-23T12:00:00Z');

function good(hoursAgo: number): KeptSnapshot {
  return { id: `g${hoursAgo}`, takenAtMs: now - hoursAgo * HOUR, health: 'good' };
}

function suspect(hoursAgo: number): KeptSnapshot {
  return { id: `s${hoursAgo}`, takenAtMs: now - hoursAgo * HOUR, health: 'suspect' };
}

const policy = { hourly: 3, daily: 2, weekly: 0, monthly: 0 };
const noPins: ReadonlySet<string> = new Set();

test('the newest of each of the last hours and days stays', () => {
  const all = [0, 1, 2, 3, 4, 13, 14, 40].map(good);
  // Hours 12, 11, 10; days of the 23rd (hour 0 ago) and of the 22nd (13 hours ago).
  expect(snapshotsToDelete(all, policy, noPins, now)).toEqual(['g40', 'g14', 'g4', 'g3']);
});

test('a snapshot that a run reads stays', () => {
  expect(snapshotsToDelete([good(0), good(40)], { ...policy, hourly: 1, daily: 1 }, new Set(['g40']), now)).toEqual([]);
});

test('while the newest is suspect, no good one is deleted', () => {
  expect(snapshotsToDelete([suspect(0), ...[1, 2, 3, 4, 5, 60].map(good)], policy, noPins, now)).toEqual([]);
});

test('a suspect one goes after a week, once a newer good one exists', () => {
  expect(snapshotsToDelete([good(0), suspect(169)], policy, noPins, now)).toEqual(['s169']);
  expect(snapshotsToDelete([suspect(169)], policy, noPins, now)).toEqual([]);
  expect(snapshotsToDelete([good(0), suspect(100)], policy, noPins, now)).toEqual([]);
});

test('whatever the history and the policy, the newest good one and the protected ones are never deleted', () => {
  const snapshot = fc.record({
    hoursAgo: fc.integer({ min: 0, max: 20_000 }),
    health: fc.constantFrom<KeptSnapshot['health']>('good', 'suspect'),
  });
  const amount = fc.integer({ min: 0, max: 5 });
  const policies = fc.record({ hourly: amount, daily: amount, weekly: amount, monthly: amount });
  fc.assert(
    fc.property(
      fc.uniqueArray(snapshot, { selector: (one) => one.hoursAgo }),
      policies,
      fc.nat(30),
      (given, rules, at) => {
        const all = given.map(({ hoursAgo, health }) => ({
          id: `x${hoursAgo}`,
          takenAtMs: now - hoursAgo * HOUR,
          health,
        }));
        const isProtected = new Set(all.slice(at, at + 1).map((one) => one.id));
        const deleted = new Set(snapshotsToDelete(all, rules, isProtected, now));
        const newestGood = all.filter((one) => one.health === 'good').sort((a, b) => b.takenAtMs - a.takenAtMs)[0];
        if (newestGood !== undefined) expect(deleted.has(newestGood.id)).toBe(false);
        for (const id of isProtected) expect(deleted.has(id)).toBe(false);
        // Deleting what is left over once more deletes nothing: retention settles.
        const left = all.filter((one) => !deleted.has(one.id));
        expect(snapshotsToDelete(left, rules, isProtected, now)).toEqual([]);
      },
    ),
  );
});
