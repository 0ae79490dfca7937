import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeLines } from '../../src/app/backup/shard-lines.ts';
import { SnapshotRows, toSnapshotRow } from '../../src/app/listing/staged-row.ts';
import { linesOf as textLinesOf } from '../../src/app/stored/lines.ts';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';
import { fingerprintOf, fingerprintRecord } from '../../src/core/fingerprint/row.ts';
import { chooseRows } from '../../src/core/registration/distinct.ts';
import { isPartial } from '../../src/core/registration/expected.ts';
import { groupRows, keyHashOf, recordKey } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { openShardRecords, recordsIn } from '../../src/core/snapshot/shard.ts';
import { realWorld } from '../../src/world.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

/** The lines of a shard in which these descriptions were staged, in their order. */
async function linesOf(xmls: readonly string[], hashOf: (key: string) => number = keyHashOf) {
  const staged = xmls.map((xml) => {
    const fields = parseRegistration(xml);
    const print = { ...fingerprintOf(encodeUtf8(xml), fields), keyHash: hashOf(recordKey(fields)) };
    return toSnapshotRow(encodeUtf8(xml), fields, print);
  });
  const table = Float64Array.from(staged.flatMap(({ numbers }) => numbers));
  const rows = new SnapshotRows(
    staged.map(({ octets }) => Buffer.from(octets, 'latin1')),
    table,
  );
  const lines = await makeLines(rows, realWorld.nextTurn);
  const { fingerprints } = lines;
  const printOfEach = Array.from({ length: fingerprints.count }, (_, index) => fingerprints.at(index));
  return {
    ...lines,
    printOfEach,
    records: recordsIn(openShardRecords(textLinesOf(Buffer.from(lines.bytes), 'shard'), 'shard')),
  };
}

const aRow = fc
  .record({
    id: fc.nat(5).map((number) => `${number}-1-1`),
    etag: fc.nat(3),
    device: fc.nat(2),
    installation: fc.option(fc.constantFrom('a', 'Zoë-日本', 'q"\\uote'), { nil: undefined }),
    tag: fc.constantFrom('x', 'é', '😀'),
    isTemplate: fc.boolean(),
    expirationTime: fc.constantFrom('9999-12-31T23:59:59.999Z', '2030-01-01T00:00:00Z', '2031-01-01T00:00:00Z'),
  })
  .map(({ id, etag, device, installation, tag, isTemplate, expirationTime }) => {
    const tags = [...(installation === undefined ? [] : [`$InstallationId:{${installation}}`]), tag];
    // A registration is one device's: what a listing shows under one id is that device's, older or newer.
    const given = {
      id: `${id}-${installation ?? device}`,
      etag,
      token: tokenOf(`device ${device}`),
      tags,
      expirationTime,
    };
    return anAppleRow(isTemplate ? { ...given, template: { name: 't', body: '{"a":\n"é"}' } } : given);
  });

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

test('a shard has a line for each record, with its rows as they came, each id once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aRow, { maxLength: 30 }), async (xmls) => {
      const expected = groupRows(xmls.map(parseRegistration));
      const { records, printOfEach, counts, duplicatesSeen } = await linesOf(xmls);
      const byKey = (all: readonly { key: string; rows: readonly { xml: string }[] }[]) =>
        new Map(all.map(({ key, rows }) => [key, rows.map(({ xml }) => xml).sort()]));
      expect(byKey(records)).toEqual(byKey(expected.records));
      expect(records).toHaveLength(expected.records.length);
      expect(printOfEach).toEqual(records.map(fingerprintRecord));
      expect(duplicatesSeen).toBe(expected.duplicatesSeen);
      const rows = expected.records.flatMap((record) => record.rows);
      const chosen = expected.records.map((record) => chooseRows(record.rows));
      expect(counts).toEqual({
        records: expected.records.length,
        installations: expected.records.filter(({ key }) => key.startsWith('i:')).length,
        registrations: rows.length,
        templates: rows.filter(({ isTemplate }) => isTemplate).length,
        byPlatform: rows.length === 0 ? {} : { Apple: rows.length },
        partialInstallations: expected.records.filter(isPartial).length,
        supersededRows: sumOf(chosen.map(({ superseded }) => superseded)),
        duplicates: sumOf(chosen.map(({ duplicates }) => duplicates)),
      });
    }),
  );
});

test('the same rows make the same bytes, in whatever order they were listed', async () => {
  const xmls = ['a', 'b', 'c', 'd'].flatMap((name, index) =>
    [1, 2].map((row) => anAppleRow({ id: `${index}-${row}-1`, token: tokenOf(name), tags: [`row ${row}`] })),
  );
  expect(Buffer.from((await linesOf(xmls.toReversed())).bytes).equals((await linesOf(xmls)).bytes)).toBe(true);
});

test('records whose keys happen to have one hash stay apart', async () => {
  const xmls = ['a', 'b', 'a', 'c', 'b'].map((name, index) =>
    anAppleRow({ id: `${index}-1-1`, token: tokenOf(name), tags: [`row ${index}`] }),
  );
  const { records, counts } = await linesOf(xmls, () => 7);
  expect(counts).toMatchObject({ records: 3, registrations: 5 });
  expect(records.map(({ rows }) => rows.length).sort()).toEqual([1, 2, 2]);
  for (const { key, rows } of records) for (const row of rows) expect(recordKey(row)).toBe(key);
});
