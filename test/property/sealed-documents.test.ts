import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDocument, sealDocument } from '../../src/app/stored/codec.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseScanCheckpoint } from '../../src/core/snapshot/scan-checkpoint.ts';

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

test('a document is opened as it was sealed, and stays JSON that other tools read', () => {
  fc.assert(
    fc.property(objects, (object) => {
      const json = JSON.stringify(object);
      const sealed = sealDocument(NAME, json);
      expect(openDocument(NAME, sealed)).toBe(json);
      expect(Object.keys(JSON.parse(Buffer.from(sealed).toString()))).toContain('sha256');
    }),
  );
});

test('a document with any byte changed, cut off or added, or of another name, is refused by name', () => {
  const changes = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.constantFrom('change', 'cut', 'add', 'move'));
  fc.assert(
    fc.property(objects, changes, (object, [position, by, how]) => {
      const sealed = sealDocument(how === 'move' ? `${NAME}x` : NAME, JSON.stringify(object));
      const at = position % sealed.length;
      const changed = {
        change: () => sealed.with(at, (sealed[at] ?? 0) ^ by),
        cut: () => sealed.slice(0, at),
        add: () => Buffer.concat([sealed.slice(0, at), Uint8Array.of(by), sealed.slice(at)]),
        move: () => sealed,
      }[how]();
      expect(codeOf(() => openDocument(NAME, changed))).toBe('StoredDocumentInvalid');
    }),
    { numRuns: 1000 },
  );
});

test('whatever bytes are stored, opening and reading them ends in a coded error or a value', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from(`,"sha256":"${'0'.repeat(64)}"}\n`)),
    fc.json().map((text) => sealDocument(NAME, text)),
    objects.map((object) => sealDocument(NAME, JSON.stringify(object))),
  );
  fc.assert(
    fc.property(bytes, (stored) => {
      const code = codeOf(() => parseScanCheckpoint(openDocument(NAME, stored), NAME));
      expect(code).toBe('StoredDocumentInvalid');
    }),
    { numRuns: 500 },
  );
});
