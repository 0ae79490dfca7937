import { encodeUtf8 } from '../bytes/utf8.ts';
import type { Registration } from '../registration/registration.ts';
import { contentHashOf, type RowFingerprint, recordVersionOf, versionOfRows } from './row.ts';
import type { FingerprintTable } from './table.ts';

/** What one hub shows of a record at a look: hashes of its version and of its content, in the words of that hub. */
export interface Shown {
  readonly version: number;
  /** `NaN`, which equals nothing, where a row has to be looked at itself. */
  readonly content: number;
}

export function shownBy(rows: readonly RowFingerprint[]): Shown {
  return {
    version: recordVersionOf(rows.map(({ versionHash }) => versionHash)),
    content: contentOf(rows.map(({ contentHash }) => contentHash)),
  };
}

export function shownIn(rows: readonly Registration[]): Shown {
  return {
    version: versionOfRows(rows),
    content: contentOf(rows.map((row) => contentHashOf(encodeUtf8(row.xml), row))),
  };
}

/** Of a snapshot's record. Where rows are left out for newer ones, what the hub shows has more of them. */
export function shownAt(fingerprints: FingerprintTable, index: number): Shown {
  const isComplete = fingerprints.supersededAt(index) === 0;
  const content = isComplete ? contentOf(fingerprints.contentHashesAt(index)) : Number.NaN;
  return { version: fingerprints.versionHashAt(index), content };
}

/** Equal rows count once: a restore writes one of them. */
export function contentOf(contentHashes: readonly number[]): number {
  if (contentHashes.includes(0)) return Number.NaN;
  return recordVersionOf(contentHashes.length === 1 ? contentHashes : [...new Set(contentHashes)]);
}
