import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hash53, hashOctets, hashPair } from '../../src/core/bytes/hash.ts';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';

test('hashes never change: stored snapshots depend on them', () => {
  expect([hash53(''), hash53('d:apple:00FF'), hash53('i:Zoë-日本')]).toMatchInlineSnapshot(`
    [
      3338908027751811,
      3367070472322693,
      7162304996257324,
    ]
  `);
  expect(['', 'a', 'abcd', 'abcde', encodeUtf8('Zoë-日本')].map((text) => hashOctets(text))).toMatchInlineSnapshot(`
    [
      4527179230987945,
      3717539576857548,
      7122292583874253,
      5209919638950660,
      8220135147102760,
    ]
  `);
});

test('pairs of numbers have hashes of their own, which never change', () => {
  expect([hashPair(0, 0), hashPair(3338908027751811, 1)]).toMatchInlineSnapshot(`
    [
      5125747260484515,
      8281590541814539,
    ]
  `);
  const numbers = [0, 1, 2, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1];
  const hashes = numbers.flatMap((one) => numbers.map((other) => hashPair(one, other)));
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(new Set(hashes.map((hash) => hash % 2 ** 32)).size).toBe(hashes.length);
  expect(hashes.every(Number.isSafeInteger)).toBe(true);
});

test('what is skipped does not count, nor how long it is', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ maxLength: 9 }), (before, after, skipped) => {
      const [a, b, own] = [before, after, skipped].map(encodeUtf8) as [string, string, string];
      const hashOf = (middle: string) => hashOctets(a + middle + b, a.length, a.length + middle.length);
      expect(hashOf(own)).toBe(hashOf(''));
    }),
  );
});

test('texts that differ in one octet anywhere, or in their length, have hashes of their own', () => {
  const text = Array.from({ length: 64 }, (_, at) => String.fromCharCode(32 + at)).join('');
  const variants = [...text].flatMap((_, at) =>
    [0, 1, 0x80, 0xff].map((octet) => text.slice(0, at) + String.fromCharCode(octet) + text.slice(at + 1)),
  );
  const lengths = Array.from({ length: 64 }, (_, length) => text.slice(0, length));
  const zeros = Array.from({ length: 64 }, (_, length) => '\u0000'.repeat(length));
  const all = new Set([text, ...variants, ...lengths, ...zeros]);
  const hashes = new Set([...all].map((one) => hashOctets(one)));
  expect(hashes.size).toBe(all.size);
  // Both halves of the hash tell them apart, too.
  expect(new Set([...hashes].map((hash) => hash % 2 ** 32)).size).toBe(all.size);
});
