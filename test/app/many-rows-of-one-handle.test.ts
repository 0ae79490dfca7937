import { expect, test } from 'vitest';
import { startRestore } from '../../src/app/restore/start.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { backUp, contentOf, deliverAsHost, restore } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const ROWS = 1000;

/** As apps leave them that register the word of an error in place of a token: one device, as far as a hub knows. */
function fillWithOne(rows: Map<string, string>): void {
  for (let index = 0; index < ROWS; index++) {
    const id = `${index}-5-1`;
    rows.set(id, anAppleRow({ id, token: 'BLACKLISTED', tags: [`n${index}`] }));
  }
}

test('a device with a thousand rows, of which a step has time for some, is written once', async () => {
  const engine = createEngine({ policy: { stepBudgetMs: 60_000 } });
  fillWithOne(engine.primary.rows);
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  let calls = 0;
  engine.secondary.putRegistration = async (...args) => {
    calls += 1;
    engine.advance(500);
    await renewAll(engine.app);
    return putRegistration(...args);
  };
  const startedAt = engine.app.world.now();
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1, failed: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(calls).toBeLessThan(1.1 * ROWS);
  expect(engine.app.world.now() - startedAt).toBeLessThan(1.3 * 500 * ROWS);
});

test('a host that dies in its middle costs the rows of a few seconds', async () => {
  const engine = createEngine();
  fillWithOne(engine.primary.rows);
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  let calls = 0;
  engine.secondary.putRegistration = async (...args) => {
    calls += 1;
    engine.advance(100);
    await renewAll(engine.app);
    if (calls === 700) throw new Error('the host dies');
    return putRegistration(...args);
  };
  await startRestore(engine.app, parseRestoreRequest('{}'));
  await deliverAsHost(engine);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(calls).toBeLessThan(1.1 * ROWS);
});
