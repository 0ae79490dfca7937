import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };

/** The same values as `unit: 'binary'`, which first builds a table of all of them: a second for each worker. */
export const codePoint = fc.nat({ max: 0x10ffff - SURROGATES.count }).map(
  (index) => String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count),
  (text) => {
    const point = typeof text === 'string' && [...text].length === 1 ? text.codePointAt(0) : undefined;
    if (point === undefined) throw new Error('This is no code point.');
    if (point < SURROGATES.first) return point;
    if (point < SURROGATES.first + SURROGATES.count) throw new Error('This is half of a surrogate pair.');
    return point - SURROGATES.count;
  },
);
