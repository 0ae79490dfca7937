import { isSameHub } from '../../paths.ts';
import type { HubRef } from '../../ports.ts';
import type { Term } from '../../run/run.ts';
import type { Circumstances } from './decision-table.ts';

type Roles = Pick<Circumstances, 'wasTargetInUse' | 'wasSourceInUseLast' | 'wasTargetInUseBefore' | 'sourceTermStart'>;

/** What the history of roles says of a restore's two hubs. Of a repair in place the one hub is the source. */
export function rolesOf(terms: readonly Term[], source: HubRef, target: HubRef): Roles {
  const isTarget = ({ hub }: Term): boolean => isSameHub(hub, target) && !isSameHub(target, source);
  const startOf = (term: Term | undefined): number => (term === undefined ? Infinity : Date.parse(term.since));
  const newest = terms.at(-1);
  const isSourceInUse = newest !== undefined && isSameHub(newest.hub, source);
  const sourceTermStart = startOf(terms.findLast(({ hub }) => isSameHub(hub, source)));
  const followsSource = (place: number): boolean => {
    const before = terms[place - 1];
    return before !== undefined && isSameHub(before.hub, source);
  };
  return {
    wasTargetInUse: (since) => terms.some((term, place) => isTarget(term) && startOf(terms[place + 1]) > since),
    wasSourceInUseLast: (since) =>
      isSourceInUse && !terms.some((term, place) => isTarget(term) && startOf(term) > since && followsSource(place)),
    wasTargetInUseBefore:
      sourceTermStart < Infinity && terms.some((term) => isTarget(term) && startOf(term) < sourceTermStart),
    sourceTermStart,
  };
}
