import type { Octets } from './utf8.ts';

/**
 * A 53-bit hash of a text, the same on every machine and version: shard membership of stored snapshots depends on it.
 * cyrb53 (public domain construction): two 32-bit multiply-xor lanes. At ten million texts against ten million the
 * chance of one false match is about 1 %.
 */
export function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/**
 * A 53-bit hash of octets without those from `skipFrom` up to `skipTo`: two lanes of MurmurHash3's 32-bit construction
 * (public domain), four octets at a time, which takes a third of `hash53`'s time. Fingerprints of stored snapshots
 * depend on it.
 */
export function hashOctets(octets: Octets, skipFrom = octets.length, skipTo = octets.length): number {
  const lanes = { high: 0xdeadbeef, low: 0x41c6ce57 };
  mixInto(lanes, octets, 0, skipFrom);
  mixInto(lanes, octets, skipTo, octets.length);
  const high = finish(lanes.high ^ (octets.length - (skipTo - skipFrom)));
  const low = finish(lanes.low ^ Math.imul(high, 2654435761));
  return 4294967296 * (2097151 & low) + (high >>> 0);
}

/** A 53-bit hash of two whole numbers, for which no text has to be made. */
export function hashPair(one: number, other: number): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const number of [one, other]) {
    const upper = Math.floor(number / 4294967296);
    high = mixWord(mixWord(high, number, 0xcc9e2d51), upper, 0xcc9e2d51);
    low = mixWord(mixWord(low, number, 0x85ebca6b), upper, 0x85ebca6b);
  }
  return 4294967296 * (2097151 & finish(low)) + (finish(high) >>> 0);
}

function mixWord(lane: number, word: number, factor: number): number {
  const mixed = Math.imul(rotate(Math.imul(word, factor), 15), 0x1b873593);
  return (Math.imul(rotate(lane ^ mixed, 13), 5) + 0xe6546b64) | 0;
}

function mixInto(lanes: { high: number; low: number }, octets: Octets, from: number, to: number): void {
  let { high, low } = lanes;
  for (let at = from; at < to; at += 4) {
    // What is beyond the end counts as 0; how much that is tells the length.
    const word =
      octets.charCodeAt(at) |
      (at + 1 < to ? octets.charCodeAt(at + 1) << 8 : 0) |
      (at + 2 < to ? octets.charCodeAt(at + 2) << 16 : 0) |
      (at + 3 < to ? octets.charCodeAt(at + 3) << 24 : 0);
    const one = Math.imul(word, 0xcc9e2d51);
    const other = Math.imul(word, 0x85ebca6b);
    high = (Math.imul(rotate(high ^ Math.imul(rotate(one, 15), 0x1b873593), 13), 5) + 0xe6546b64) | 0;
    low = (Math.imul(rotate(low ^ Math.imul(rotate(other, 16), 0xc2b2ae35), 14), 5) + 0x561ccd1b) | 0;
  }
  lanes.high = high;
  lanes.low = low;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function finish(word: number): number {
  const one = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const two = Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return two ^ (two >>> 16);
}
