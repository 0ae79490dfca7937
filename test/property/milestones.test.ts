import fc from 'fast-check';
import { expect, test } from 'vitest';
import { milestonesOf } from '../../src/core/restore/milestones.ts';

const STARTED_MS = Date.parse('2026-11-23T09:00:00Z');

/** A shard's samples: times, and how much came to be in place by each. */
const shard = fc
  .array(fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 9 })), { maxLength: 8 })
  .map((steps) => steps.toSorted(([a], [b]) => a - b));

/** All that came to be in place, in the order of time, until it is enough. */
function countedOneByOne(shards: readonly (readonly [number, number])[][], wanted: number): string | undefined {
  let sofar = 0;
  for (const [atMs, gained] of shards.flat().toSorted(([a], [b]) => a - b)) {
    sofar += gained;
    if (sofar >= wanted) return new Date(STARTED_MS + atMs).toISOString();
  }
  return undefined;
}

test('a share is in place when, counted one by one, enough is', () => {
  fc.assert(
    fc.property(fc.array(shard, { maxLength: 6 }), fc.nat({ max: 20 }), (shards, open) => {
      const inPlace = shards.flat().reduce((sum, [, gained]) => sum + gained, 0);
      const total = inPlace + open;
      const facts = shards.map((steps) => {
        let sofar = 0;
        const samples = steps.map(([atMs, gained]) => {
          sofar += gained;
          return `${atMs}:${sofar}`;
        });
        return { in_place: samples.join(' ') };
      });
      const { p50At, p90At, p99At } = milestonesOf(facts, { total, inPlace }, STARTED_MS);
      for (const [percent, reached] of [
        [50, p50At],
        [90, p90At],
        [99, p99At],
      ] as const) {
        const wanted = Math.ceil((total * percent) / 100);
        const expected = wanted === 0 || inPlace < wanted ? undefined : countedOneByOne(shards, wanted);
        expect(reached).toBe(expected);
      }
    }),
    { numRuns: 500 },
  );
});
