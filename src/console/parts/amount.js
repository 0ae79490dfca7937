import { plural } from './format.js';

/**
 * `2,000 devices = 2,033 records = 2,327 registrations, 25 of them duplicates`, as the app says it.
 * @param {{ amount?: string, counts?: import('../api-types.d.ts').SnapshotCounts }} snapshot
 */
export function amountOf({ amount, counts }) {
  return amount ?? plural(counts?.records ?? 0, 'record');
}
