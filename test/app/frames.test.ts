import { expect, test } from 'vitest';
import { readFrames, titleOf, toFrame } from '../../src/app/listing/segment-format.ts';
import { packFrame, unpackFrame } from '../../src/app/stored/codec.ts';
import { numberBlobs } from '../../src/app/stored/documents.ts';

/** Sizes at which a frame's head says them differently. */
const SIZES = [0, 1, 255, 256, 300, 65_791, 65_792, 300_000];
const INVALID = expect.objectContaining({ code: 'StoredDocumentInvalid' });

/** Not all alike, so that a cut falls into every part of a frame. */
const contentOf = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, (_, at) => (at * at + (at >> 7)) % 251));

test.each(SIZES)('a frame of %i bytes unpacks to what it was, with its size and without', (size) => {
  const frame = packFrame(contentOf(size));
  expect(unpackFrame(frame, 'a').equals(contentOf(size))).toBe(true);
  expect(unpackFrame(frame, 'a', size).equals(contentOf(size))).toBe(true);
});

test.each(SIZES)('a frame of %i bytes that is cut, wherever that is, is refused', (size) => {
  const frame = packFrame(contentOf(size));
  expect(() => unpackFrame(frame.subarray(0, -1), 'a')).toThrow(INVALID);
  for (let length = 0; length < frame.length; length += Math.max(1, frame.length >> 6)) {
    expect(() => unpackFrame(frame.subarray(0, length), 'a', size)).toThrow(INVALID);
  }
});

test('a segment whose frame says another length than it has is refused', () => {
  const of = { segment: 's', section: 3, part: 'rows' } as const;
  const bytes = Buffer.from(toFrame(Buffer.concat([titleOf(of), contentOf(300)])));
  expect([...readFrames(bytes, of)]).toHaveLength(1);
  bytes.writeUInt32LE(bytes.readUInt32LE(4) - 1, 4);
  expect(() => [...readFrames(bytes, of)]).toThrow(INVALID);
});

test('numbers that are cut are refused, wherever that is', () => {
  const { fingerprints } = numberBlobs;
  const title = { form: 2, of: 'f', sha256: '', platforms: [] } as const;
  const bytes = fingerprints.pack('a', { title, numbers: Float64Array.from({ length: 400 }, (_, at) => at / 7) });
  for (let length = 0; length < bytes.length; length += 7) {
    expect(() => fingerprints.open('a', bytes.subarray(0, length))).toThrow(INVALID);
  }
});
