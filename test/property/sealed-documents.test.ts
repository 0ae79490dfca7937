import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documents } from '../../src/app/stored/documents.ts';
import { checksummed } from '../../src/app/stored/envelopes.ts';
import { DrError } from '../../src/core/errors.ts';

const NAME = '_runs/backup/2026-11-23T09-00-00Z-000001/pass-1/scan.json';

const objects = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue(), { minKeys: 1, maxKeys: 5 });

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    expect(error.target).toBe(NAME);
    return error.code;
  }
}

test('a document is opened as it was stored, and stays JSON that other tools read', () => {
  fc.assert(
    fc.property(objects, (object) => {
      const stored = checksummed.wrap(NAME, object);
      expect(checksummed.unwrap(NAME, stored, (text) => text)).toBe(JSON.stringify(object));
      expect(Object.keys(JSON.parse(Buffer.from(stored).toString()))).toContain('sha256');
    }),
  );
});

test('a document with any byte changed, cut off or added, or of another name, is refused by name', () => {
  const changes = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.constantFrom('change', 'cut', 'add', 'move'));
  fc.assert(
    fc.property(objects, changes, (object, [position, by, how]) => {
      const stored = checksummed.wrap(how === 'move' ? `${NAME}x` : NAME, object);
      const at = position % stored.length;
      const changed = {
        change: () => stored.with(at, (stored[at] ?? 0) ^ by),
        cut: () => stored.slice(0, at),
        add: () => Buffer.concat([stored.slice(0, at), Uint8Array.of(by), stored.slice(at)]),
        move: () => stored,
      }[how]();
      expect(checksummed.unwrap(NAME, changed, (text) => text)).toBeUndefined();
      expect(codeOf(() => documents.scan.open(NAME, changed))).toBe('StoredDocumentInvalid');
    }),
    { numRuns: 1000 },
  );
});

test('whatever bytes are stored, opening and reading them ends in a coded error or a value', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from(`,"sha256":"${'0'.repeat(64)}"}\n`)),
    fc.jsonValue().map((value) => checksummed.wrap(NAME, Object(value))),
    objects.map((object) => checksummed.wrap(NAME, object)),
  );
  fc.assert(
    fc.property(bytes, (stored) => {
      expect(codeOf(() => documents.scan.open(NAME, stored))).toBe('StoredDocumentInvalid');
    }),
    { numRuns: 500 },
  );
});
