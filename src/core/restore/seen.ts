/** What a pass noted of a record: the version hashes of its rows, or that it was written again. */
export type Note = readonly number[] | 'rewritten';

/**
 * The version hashes of a record's rows as its restore left them, by what the passes noted in turn. The first look
 * after the write counts: later ones saw what its device did since, too. Of a record that was written again two looks
 * in a row have to agree: one alone may show the earlier write while the later one is still on its way.
 */
export function seenVersions(notes: readonly (Note | undefined)[]): readonly number[] | undefined {
  let seen: readonly number[] | undefined;
  let wasWrittenAgain = false;
  let last: Note | undefined;
  for (const note of notes) {
    if (note === 'rewritten') {
      seen = undefined;
      wasWrittenAgain = true;
    } else if (note !== undefined && (!wasWrittenAgain || haveSameHashes(last, note))) seen ??= note;
    last = note;
  }
  return seen;
}

function haveSameHashes(a: Note | undefined, b: readonly number[]): boolean {
  return typeof a === 'object' && a.length === b.length && a.every((hash) => b.includes(hash));
}
