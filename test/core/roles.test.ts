import { expect, it } from 'vitest';
import { rolesOf } from '../../src/core/restore/plan/terms.ts';

const [a, b, c] = ['a', 'b', 'c'].map((namespace) => ({ namespace, hub: 'devices' }));
if (a === undefined || b === undefined || c === undefined) throw new Error('There are three hubs.');

const since = (hub: typeof a, at: number) => ({ hub, since: new Date(at).toISOString() });
/** A is in use from the beginning, B since 100, and A again since 200. */
const thereAndBack = [since(a, 0), since(b, 100), since(a, 200)];

it('tells when a target was in use', () => {
  const { wasTargetInUse } = rolesOf(thereAndBack, a, b);
  expect([0, 150, 199, 200, 300].map(wasTargetInUse)).toEqual([true, true, true, false, false]);
  expect(rolesOf(thereAndBack, b, a).wasTargetInUse(300)).toBe(true);
});

it('tells whether the source has been in use only after the target', () => {
  expect([50, 150].map(rolesOf(thereAndBack, a, b).wasSourceInUseLast)).toEqual([false, true]);
  expect(rolesOf(thereAndBack.slice(0, 2), b, a).wasSourceInUseLast(0)).toBe(true);
  expect(rolesOf(thereAndBack, b, a).wasSourceInUseLast(300)).toBe(false);
});

it('tells since when the source is in use, and whether the target was before', () => {
  expect(rolesOf(thereAndBack, a, b)).toMatchObject({ sourceTermStart: 200, wasTargetInUseBefore: true });
  expect(rolesOf(thereAndBack.slice(0, 1), b, a)).toMatchObject({
    sourceTermStart: Infinity,
    wasTargetInUseBefore: false,
  });
});

it.each([
  ['a scratch hub', a, c],
  ['a hub that is repaired in place', a, a],
])('never has %s in use', (_, source, target) => {
  expect(rolesOf(thereAndBack, source, target)).toMatchObject({ wasTargetInUseBefore: false, sourceTermStart: 200 });
  expect(rolesOf(thereAndBack, source, target).wasTargetInUse(0)).toBe(false);
});
