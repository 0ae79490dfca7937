import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStaging } from '../../src/app/staging.ts';

const anyText = fc.string({ unit: fc.constantFrom('a', '"', '\n', '\r', 'é', '中', '😀', '\ud800'), maxLength: 60 });

test('a section is read as its title and its rows, a JSON string a line, in the order they came', () => {
  const rows = fc.array(fc.tuple(fc.nat({ max: 3 }), anyText), { maxLength: 30 });
  fc.assert(
    fc.property(rows, rows, (first, second) => {
      const staging = createStaging(16);
      for (const given of [first, second]) {
        staging.clear();
        expect(staging.sizeBytes).toBe(0);
        for (const [section, xml] of given) staging.add(section, xml);
        for (const section of [0, 1, 2, 3]) {
          const lines = given.filter(([own]) => own === section).map(([, xml]) => `${JSON.stringify(xml)}\n`);
          const bytes = staging.read(section, 'title');
          if (lines.length === 0) expect(bytes).toBeUndefined();
          else expect(Buffer.from(bytes ?? []).toString()).toBe(`title\n${lines.join('')}`);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('more than a staging was made for is kept, too', () => {
  const staging = createStaging(16);
  const rows = Array.from({ length: 40 }, (_, index) => `${index}${'中'.repeat(50_000)}`);
  for (const row of rows) staging.add(1023, row);
  const lines = Buffer.from(staging.read(1023, 't') ?? [])
    .toString()
    .split('\n');
  expect(lines.slice(1, -1).map((line): unknown => JSON.parse(line))).toEqual(rows);
  expect(staging.sizeBytes).toBeGreaterThan(40 * 150_000);
});
