import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noOutcomes } from '../../src/app/restore/outcomes/store.ts';
import {
  isOfKind,
  outcomeLetters,
  racedLetter,
  recordKinds,
  underWayLetters,
} from '../../src/core/restore/plan/outcomes.ts';
import { countIn, sumOutcomes, toFacts } from '../../src/core/restore/totals.ts';

const letter = fc.constantFrom(
  ...Object.values(outcomeLetters),
  ...Object.values(underWayLetters),
  'g',
  'x',
  racedLetter,
);

/** One shard's outcomes: a letter for each record of the snapshot, and for each that only the target holds. */
const shard = fc.record({
  wanted: fc.array(fc.tuple(letter, fc.constantFrom('Apple', 'FcmV1', ''))),
  extras: fc.array(letter),
  onlyInTarget: fc.nat({ max: 9 }),
});

test('whatever became of the records, all counts add up to the total, and each letter is counted by its outcome', () => {
  fc.assert(
    fc.property(fc.array(shard, { minLength: 1, maxLength: 5 }), (shards) => {
      const facts = new Map(
        shards.map(({ wanted, extras, onlyInTarget }, index) => {
          const letters = [...wanted.map(([one]) => one), ...extras].join('');
          const outcomes = { ...noOutcomes, letters, extraCount: extras.length, onlyInTarget };
          const platforms = wanted.map(([, platform]) => platform);
          return [index, toFacts(outcomes, { letters, platforms, wavesDone: 0 })] as const;
        }),
      );
      const recordCount = shards.reduce((sum, { wanted }) => sum + wanted.length, 0);
      const { counts, raced } = sumOutcomes(recordCount, new Map([[1, facts]]), '2026-11-23T09:00:00Z');
      const { total, ...all } = counts;
      expect(Object.values(all).reduce((sum, count) => sum + count, 0)).toBe(total);
      const lettersOf = (index: number) => {
        const { wanted = [], extras = [] } = shards[index] ?? {};
        return [...wanted.map(([one]) => one), ...extras];
      };
      for (const kind of recordKinds) {
        if (kind === 'onlyInTarget') continue;
        const perShard = shards.map((_, index) => lettersOf(index).filter((one) => isOfKind(one, kind)).length);
        expect(kind === 'raced' ? raced : counts[kind], kind).toBe(perShard.reduce((sum, count) => sum + count, 0));
        for (const [index, one] of facts) expect(countIn(one, kind)).toBe(perShard[index]);
      }
    }),
  );
});
