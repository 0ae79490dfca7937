import { expect, test } from 'vitest';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { aBackedUp, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';

async function aPartialRestore(): Promise<{ engine: Engine; id: string }> {
  const engine = await aBackedUp(30);
  const refused = new Set(['device-2', 'device-8', '19-5-1']);
  engine.secondary.intercept = (kind, id) => {
    if (!refused.has(id)) return undefined;
    return kind === 'registration'
      ? { kind: 'idRefused', status: 400 }
      : { kind: 'rejected', status: 400, reason: 'Rejected' };
  };
  // New ids of the refused registration are refused as well.
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = (id, xml, call) =>
    xml.includes('>n1,plain<') && !id.startsWith('19')
      ? Promise.resolve({ kind: 'idRefused', status: 400 })
      : putRegistration(id, xml, call);
  const view = await restore(engine);
  expect(view).toMatchObject({ error: { code: 'RestoreIncomplete' }, counts: { created: 27, failed: 3 } });
  engine.secondary.intercept = () => undefined;
  engine.secondary.putRegistration = putRegistration;
  return { engine, id: view.id };
}

async function ended(engine: Engine, id: string) {
  await engine.drain();
  return readRestoreView(engine.app, id);
}

test('a rollback leaves alone what its restore was refused and a retry wrote', async () => {
  const { engine, id } = await aPartialRestore();
  const retry = await ended(engine, (await startRetry(engine.app, id)).id);
  expect(retry).toMatchObject({ status: 'Succeeded', counts: { total: 3, created: 3 } });
  const rolledBack = await ended(engine, (await startRollback(engine.app, id, { confirm: 'three/devices' })).id);
  expect(rolledBack).toMatchObject({ status: 'Succeeded', counts: { total: 27, removed: 27 } });
  expect(engine.secondary.rows.size).toBe(5);
});

test('a rollback leaves alone a device that was refused and registered by itself with the same content', async () => {
  const { engine, id } = await aPartialRestore();
  for (const [rowId, xml] of engine.primary.rows) {
    if (xml.includes('InstallationId:{device-2}')) engine.secondary.rows.set(rowId, xml);
  }
  await ended(engine, (await startRollback(engine.app, id, { confirm: 'three/devices' })).id);
  expect(engine.secondary.rows.size).toBe(2);
});
