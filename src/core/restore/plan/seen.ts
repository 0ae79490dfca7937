import { haveSame } from '../../fingerprint/row.ts';

/** What a pass noted of a record: the version hashes of its rows, or that it was written again. */
export type JournalNote = Sighting | 'rewritten';

export interface Sighting {
  /** Of rows that are as they were written. */
  readonly seen: readonly number[];
  /** Of rows that are not: their device changed them, or the target stores something else than it is sent. */
  readonly altered?: readonly number[];
}

/**
 * The version hashes of a record's rows as its restore left them, by what the passes noted in turn. The first look
 * after the write counts: later ones saw what its device did since, too. Of a record that was written again two looks
 * in a row have to agree: one alone may show the earlier write while the later one is still on its way.
 */
export function seenVersions(notes: readonly (JournalNote | undefined)[]): Sighting | undefined {
  let seen: Sighting | undefined;
  let wasWrittenAgain = false;
  let last: JournalNote | undefined;
  for (const note of notes) {
    if (note === 'rewritten') {
      seen = undefined;
      wasWrittenAgain = true;
    } else if (note !== undefined && (!wasWrittenAgain || isSameSighting(last, note))) seen ??= note;
    last = note;
  }
  return seen;
}

function isSameSighting(a: JournalNote | undefined, b: Sighting): boolean {
  return typeof a === 'object' && haveSame(a.seen, b.seen) && haveSame(a.altered ?? [], b.altered ?? []);
}
