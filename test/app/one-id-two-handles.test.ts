import { expect, test } from 'vitest';
import { surveyIds } from '../../src/app/listing/ids-listed-twice.ts';
import { storeSegment } from '../../src/app/listing/segments.ts';
import { STAGED_SECTIONS } from '../../src/app/listing/stage-rows.ts';
import { toSnapshotRow } from '../../src/app/listing/staged-row.ts';
import { createStaging } from '../../src/app/listing/staging.ts';
import { readSnapshotView } from '../../src/app/snapshots/view.ts';
import { hash53 } from '../../src/core/bytes/hash.ts';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';
import { fingerprintOf } from '../../src/core/fingerprint/row.ts';
import { keyHashOf, shardOf } from '../../src/core/registration/record.ts';
import { parseOctets } from '../../src/core/registration/registration.ts';
import { newScanCheckpoint } from '../../src/core/snapshot/scan-checkpoint.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

const DEVICES = 150;
/** Of the memory hub. */
const PAGE = 100;

/** A hub in which these devices get a new handle under their id between two pages, each listed before and after it. */
async function movingHub(moved: readonly string[]): Promise<Engine> {
  const engine = createEngine();
  const { primary } = engine;
  for (let index = 0; index < DEVICES; index += 1) {
    const id = `${index}-1-1`;
    primary.rows.set(id, anAppleRow({ id, tags: ['a'], etag: 4 }));
  }
  const listPage = primary.listPage.bind(primary);
  primary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    if (token !== undefined) return page;
    for (const id of moved) {
      primary.rows.delete(id);
      primary.rows.set(id, anAppleRow({ id, tags: ['a'], token: tokenOf(`new ${id}`), etag: 5 }));
    }
    // A row that goes makes room at the front, so that none is passed over here: as many come before the next page.
    const [first, ...rest] = [...primary.rows].splice(0, PAGE - moved.length);
    if (first === undefined) throw new Error('The hub is empty.');
    const shifted = moved.map((_, index): [string, string] => {
      const id = `early-${index}-1`;
      return [id, anAppleRow({ id, tags: ['a'] })];
    });
    const others = [...primary.rows].slice(PAGE - moved.length);
    primary.rows.clear();
    for (const [id, xml] of [first, ...rest, ...shifted, ...others]) primary.rows.set(id, xml);
    return page;
  };
  return engine;
}

const moved = ['3-1-1', '40-1-1', '77-1-1'];

test('of one id under two handles the row with the higher ETag is the record, whatever shard it is in', async () => {
  const engine = await movingHub(moved);
  const snapshotId = await backUp(engine);
  // The rows put in between were not listed.
  for (const id of [...engine.primary.rows.keys()]) if (id.startsWith('early')) engine.primary.rows.delete(id);
  expect(await readSnapshotView(engine.app, snapshotId)).toMatchObject({
    counts: { devices: DEVICES, records: DEVICES, registrations: DEVICES },
    duplicatesSeen: moved.length,
    health: 'good',
  });
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: DEVICES, failed: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a row that is listed twice as it is stays', async () => {
  const engine = createEngine();
  const { primary } = engine;
  for (let index = 0; index < DEVICES; index += 1) {
    primary.rows.set(`${index}-1-1`, anAppleRow({ id: `${index}-1-1` }));
  }
  const listPage = primary.listPage.bind(primary);
  primary.listPage = async (token, options) => {
    const page = await listPage(token, options);
    if (token !== undefined || page === 'tokenLost') return page;
    return 'rows' in page ? { ...page, rows: [...page.rows, ...page.rows.slice(0, 7)] } : page;
  };
  const snapshotId = await backUp(engine);
  expect(await readSnapshotView(engine.app, snapshotId)).toMatchObject({
    counts: { devices: DEVICES, records: DEVICES, duplicates: 0 },
    duplicatesSeen: 7,
  });
});

test('two ids of one hash are two registrations', async () => {
  const { app } = createEngine();
  const staging = createStaging(STAGED_SECTIONS, () => 'segment', app.world.nextTurn);
  const stage = (id: string, hashedId: string, token: string, etag: number): void => {
    const [xml, hashed] = [id, hashedId].map((one) => anAppleRow({ id: one, token: tokenOf(token), etag }));
    const [octets, other] = [encodeUtf8(xml ?? ''), encodeUtf8(hashed ?? '')];
    const fingerprint = fingerprintOf(other, parseOctets(other));
    const { octets: row, numbers } = toSnapshotRow(octets, parseOctets(octets), fingerprint);
    staging.add(shardOf(fingerprint.keyHash, STAGED_SECTIONS), row, numbers);
  };
  stage('1-1-1', '1-1-1', 'one', 5);
  stage('2-1-1', '1-1-1', 'other', 3);
  stage('3-1-1', '3-1-1', 'third', 5);
  stage('3-1-1', '3-1-1', 'fourth', 3);
  const packed = await staging.take();
  if (packed === undefined) throw new Error('There are no rows.');
  const segments = [await storeSegment(app, packed)];
  const checkpoint = { ...newScanCheckpoint('2026-11-23T09:00:00.000Z'), rowCount: 4, isFinished: true, segments };
  const keyHash = keyHashOf(`d:apple:${tokenOf('fourth')}`);
  expect(await surveyIds(app, checkpoint)).toEqual({ superseded: [[hash53('3-1-1'), keyHash]], devices: 3 });
});
