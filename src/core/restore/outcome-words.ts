import type { OutcomeCounts } from '../run/run.ts';
import { grouped } from '../words.ts';

/** Of outcomes that are no words as they are named. */
const words: Partial<Record<keyof OutcomeCounts, string>> = {
  keptLive: 'kept live',
  conflict: 'in conflict',
  unknownOrigin: 'of unknown origin',
  goneInTarget: 'gone since',
  withdrawn: 'removed as no longer in the source',
  leftover: 'left though no longer in the source',
  onlyInTarget: 'only in the target',
  putBack: 'put back',
};

const wordsByName: Readonly<Record<string, string>> = words;

/** An outcome of records, as people read it; the terminal tool, which shares no code, says the same. */
export function outcomeInWords(name: string): string {
  return wordsByName[name] ?? name;
}

/** `1,950 created, 50 kept live`: those that there are, without the total. */
export function outcomesInWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([name, count]) => name !== 'total' && count > 0)
    .map(([name, count]) => `${grouped(count)} ${outcomeInWords(name)}`)
    .join(', ');
}
