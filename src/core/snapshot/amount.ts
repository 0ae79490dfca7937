import { counted, grouped } from '../words.ts';
import type { RecordCounts } from './manifest.ts';

type Amounts = Pick<RecordCounts, 'devices' | 'records' | 'registrations' | 'duplicates'>;

/**
 * `2,000 devices = 2,033 records = 2,327 registrations, 25 of them duplicates`: how much a snapshot holds, in the units
 * that meet in counts. What is not known of an older snapshot is left out.
 */
export function amountOf({ devices, records, registrations, duplicates = 0 }: Amounts): string {
  const equal = [
    ...(devices === undefined ? [] : [counted(devices, 'device')]),
    counted(records, 'record'),
    counted(registrations, 'registration'),
  ].join(' = ');
  if (duplicates === 0) return equal;
  return `${equal}, ${grouped(duplicates)} of them ${duplicates === 1 ? 'a duplicate' : 'duplicates'}`;
}
