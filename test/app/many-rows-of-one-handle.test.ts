import { expect, test } from 'vitest';
import { startRestore } from '../../src/app/restore/start.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { encodeUtf8 } from '../../src/core/bytes/utf8.ts';
import { Comparison } from '../../src/core/fingerprint/comparison.ts';
import { fingerprintOf, fingerprintRecord } from '../../src/core/fingerprint/row.ts';
import { FingerprintTable } from '../../src/core/fingerprint/table.ts';
import { groupRows, keyHashOf } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { planMove, planUpdate } from '../../src/core/restore/plan/first-writes.ts';
import { openSurvey } from '../../src/core/restore/plan/survey.ts';
import { backUp, contentOf, deliverAsHost, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const ROWS = 1000;

/** As apps leave them that register the word of an error in place of a token: one device, as far as a hub knows. */
function fillWithOne(rows: Map<string, string>): void {
  for (let index = 0; index < ROWS; index++) {
    const id = `${index}-5-1`;
    rows.set(id, anAppleRow({ id, token: 'BLACKLISTED', tags: [`n${index}`] }));
  }
}

/** Into a hub that takes so long for each write, and says when it is about to take one. */
async function backUpOne(engine: Engine, writeMs: number, onWrite: () => void): Promise<void> {
  fillWithOne(engine.primary.rows);
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (...args) => {
    engine.advance(writeMs);
    await renewAll(engine.app);
    onWrite();
    return putRegistration(...args);
  };
}

test('a device with a thousand rows, of which a step has time for some, is written once', async () => {
  const engine = createEngine({ policy: { stepBudgetMs: 60_000 } });
  let calls = 0;
  await backUpOne(engine, 500, () => {
    calls += 1;
  });
  const startedAt = engine.app.world.now();
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1, failed: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(calls).toBeLessThan(1.1 * ROWS);
  expect(engine.app.world.now() - startedAt).toBeLessThan(1.3 * 500 * ROWS);
});

test('a host that dies in its middle costs the rows of a few seconds', async () => {
  const engine = createEngine();
  let calls = 0;
  await backUpOne(engine, 100, () => {
    calls += 1;
    if (calls === 700) throw new Error('the host dies');
  });
  await startRestore(engine.app, parseRestoreRequest('{}'));
  await deliverAsHost(engine);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(calls).toBeLessThan(1.1 * ROWS);
});

/** Holds a device of that many rows against itself in the target, where each row has another ETag; gives the processor time. */
function compareOne(count: number): number {
  const rowsOf = (etag: number) =>
    Array.from({ length: count }, (_, index) =>
      parseRegistration(anAppleRow({ id: `${index}-5-1`, etag, token: 'BLACKLISTED', tags: [`n${index}`] })),
    );
  const [wanted, live] = [rowsOf(1), rowsOf(2)];
  const before = process.cpuUsage();
  const [record] = groupRows(wanted).records;
  const [found] = groupRows(live).records;
  if (record === undefined || found === undefined) throw new Error('no record');
  const fingerprints = FingerprintTable.of([fingerprintRecord(record)]);
  const rows = found.rows.map((row) => fingerprintOf(encodeUtf8(row.xml), row));
  const target = new Map([[keyHashOf(found.key), rows]]);
  expect(Comparison.of(fingerprints, target, [], 0).isSameAt(0)).toBe(true);
  const around = { terms: [], readAt: 0 } as never;
  const options = {
    readAt: 0,
    isUndone: false,
    nowMs: 0,
    around,
    expiryFloor: 0,
    isWhole: true,
    isSync: false,
    spokenAt: () => 0,
  };
  const baselineOf = () => ({ keyHash: 0, agreed: 'none', note: undefined }) as const;
  const survey = openSurvey(fingerprints, { ...options, isSelected: () => true, isInTheWay: () => true, baselineOf });
  survey.add(target);
  expect(survey.finish(target).foreign).toHaveLength(0);
  const elsewhere = { isTaken: () => false, oursUnder: () => [] };
  const planning = { expiryFloorAtMs: 0, isTargetEmpty: false, elsewhere, mintedFor: () => [] };
  expect(planMove(record, found, planning)).toBeUndefined();
  expect(planUpdate(record, found, planning)).toEqual([]);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

test('what reading a device of many rows costs grows with them, and not with their square', () => {
  compareOne(1000);
  expect(compareOne(20_000) / compareOne(2000)).toBeLessThan(30);
});
