import { formatCounts } from './format.ts';
import { countsAt, flagAt, type Json, numberAt, objectAt } from './json.ts';

/** Outcomes that are no words as the API names them. */
const outcomeWords: Readonly<Record<string, string>> = {
  keptLive: 'kept live',
  conflict: 'in conflict',
  unknownOrigin: 'of unknown origin',
  goneInTarget: 'gone since',
  withdrawn: 'removed as no longer in the source',
  leftover: 'left though no longer in the source',
  onlyInTarget: 'only in the target',
  putBack: 'put back',
};

/** A dry run writes nothing. */
const dryWords: Readonly<Record<string, string>> = {
  created: 'to create',
  updated: 'to update',
  renewed: 'to renew',
  moved: 'to move',
  withdrawn: 'to remove as no longer in the source',
  failed: 'would fail',
};

/** What the outcome is called, in a dry run or else. */
export function outcomeIn(view: Json, name: string): string {
  const dry = flagAt(view, 'dryRun') === true ? dryWords[name] : undefined;
  return dry ?? outcomeWords[name] ?? name;
}

/** `1,950 created, 50 kept live`, without the total. */
export function describeOutcomes(view: Json, ...path: readonly string[]): string {
  const counts = countsAt(view, ...path).filter(([name]) => name !== 'total');
  return formatCounts(counts.map(([name, count]) => [outcomeIn(view, name), count]));
}

/** `2,000: 1,950 created, 50 kept live` */
export function describeCounts(view: Json, ...path: readonly string[]): string {
  const total = numberAt(view, ...path, 'total') ?? 0;
  return `${formatCounts([['', total]]).trim()}: ${describeOutcomes(view, ...path) || 'none'}`;
}

/** Of what the counts say in a word or two. */
export function explanationsOf(view: Json): readonly string[] {
  const has = (name: string) => (numberAt(view, 'counts', name) ?? 0) > 0;
  return [
    has('keptLive') && 'kept live: changed by their devices since, and left as they are',
    has('moved') && 'moved: the same record, put under the registration id that the snapshot has',
    has('onlyInTarget') && 'only in the target: registered there by their devices, and left as they are',
    'Other' in objectAt(view, 'byPlatform') && 'Other: what the snapshot does not hold, counted without its platform',
  ].filter((one) => one !== false);
}

/** By what a snapshot is proven. */
export const proofWords: Readonly<Record<string, string>> = {
  verified: 'a verification',
  drill: 'a drill',
  restore: 'a restore',
  sync: 'a sync',
};
