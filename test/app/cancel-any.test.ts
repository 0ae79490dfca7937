import { expect, test } from 'vitest';
import { cancelBackup } from '../../src/app/backup/cancel.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { readBackupView } from '../../src/app/backup/view.ts';
import { cancelDrill } from '../../src/app/drill/cancel.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { readDrillView } from '../../src/app/drill/view.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { cancelVerification } from '../../src/app/snapshots/cancel-verification.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { listSnapshotIds } from '../../src/app/snapshots/store.ts';
import { readVerificationView } from '../../src/app/snapshots/view.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watch } from '../../src/app/watchdog.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, codeOf } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';

async function anEngine(devices = 24): Promise<Engine> {
  const engine = await aBackedUp(devices, { hasScratchHub: true });
  return engine;
}

test('a backup that is cancelled while it lists stops within seconds, leaves no snapshot, and frees the hub', async () => {
  const engine = await anEngine(3000);
  const [before] = await listSnapshotIds(engine.app, engine.app.primary.ref);
  const { id } = await startBackup(engine.app, 'http');
  const { listPage } = engine.primary;
  let pages = 0;
  engine.primary.listPage = async (...args) => {
    pages += 1;
    engine.advance(500);
    if (pages === 4) await cancelBackup(engine.app, id);
    return listPage(...args);
  };
  await engine.drain();
  expect(pages).toBeLessThan(10);
  expect(await readBackupView(engine.app, id)).toMatchObject({ status: 'Canceled', phase: 'Done' });
  expect(await listSnapshotIds(engine.app, engine.app.primary.ref)).toEqual([before]);
  engine.primary.listPage = listPage;
  expect(await codeOf(startBackup(engine.app, 'http'))).toBe('none');
  expect((await readStatus(engine.app)).findings.map(({ code }) => code)).not.toContain('BackupFailed');
});

test('a backup that waits for its hub can be cancelled; one that publishes cannot, and one that is over stays so', async () => {
  const engine = await anEngine();
  const { id } = await startBackup(engine.app, 'http');
  await cancelBackup(engine.app, id);
  await engine.drain();
  expect(await readBackupView(engine.app, id)).toMatchObject({ status: 'Canceled' });
  expect(await cancelBackup(engine.app, id)).toMatchObject({ status: 'Canceled' });
  const second = await startBackup(engine.app, 'http');
  const { blobs } = engine.app;
  const codes: string[] = [];
  const app = {
    ...engine.app,
    blobs: {
      ...blobs,
      put: async (...args: Parameters<typeof blobs.put>) => {
        if (args[0].endsWith('/manifest.json')) codes.push(await codeOf(cancelBackup(engine.app, second.id)));
        return blobs.put(...args);
      },
    },
  };
  for (let texts = engine.queue.take(); texts.length > 0; texts = engine.queue.take()) {
    for (const text of texts) await runStep(app, parseStep(JSON.parse(text)));
  }
  expect(codes).toEqual(['RunNotOver']);
  expect(await readBackupView(engine.app, second.id)).toMatchObject({ status: 'Succeeded' });
});

test('a cancelled verification counts what it read, proves nothing, and lets the next one begin', async () => {
  const engine = await anEngine(200);
  const { id } = await startVerification(engine.app, 'latest', 'http');
  const [first = '', ...others] = engine.queue.take();
  await runStep(engine.app, parseStep(JSON.parse(first)));
  await cancelVerification(engine.app, id);
  for (const text of others) await runStep(engine.app, parseStep(JSON.parse(text)));
  const { status, counts } = await readVerificationView(engine.app, id);
  expect(status).toBe('Canceled');
  expect(counts.verified).toBeGreaterThan(0);
  expect(counts.verified + counts.pending).toBe(counts.total);
  expect((await readStatus(engine.app)).provenSnapshot).toBeNull();
  expect(await codeOf(startVerification(engine.app, 'latest', 'http'))).toBe('none');
});

test('a drill that is cancelled while it restores empties the scratch hub, raises no alert, and is neither passed nor failed', async () => {
  const engine = await anEngine();
  const { id } = await startDrill(engine.app, 'http');
  const { putInstallation } = engine.scratch;
  let writes = 0;
  engine.scratch.putInstallation = async (...args) => {
    writes += 1;
    if (writes === 3) expect(await cancelDrill(engine.app, id)).toMatchObject({ stage: 'emptying' });
    return putInstallation(...args);
  };
  for (let tick = 0; tick < 10; tick += 1) {
    await engine.drain();
    engine.advance(60_000);
    await watch(engine.app);
  }
  const view = await readDrillView(engine.app, id);
  expect(view).toMatchObject({ status: 'Canceled', reason: 'It was cancelled.' });
  expect(view.verdict).toBeUndefined();
  expect(engine.scratch.rows.size).toBe(0);
  expect(engine.notifier.alerts).toEqual([]);
  expect((await readStatus(engine.app)).lastDrill).toMatchObject({ verdict: 'Canceled' });
  expect(await codeOf(startDrill(engine.app, 'http'))).toBe('none');
});

test('a drill cancelled before its restore has begun starts none, and the next drill passes', async () => {
  const engine = await anEngine();
  const { id } = await startDrill(engine.app, 'http');
  expect(await cancelDrill(engine.app, id)).toMatchObject({ stage: 'over' });
  await engine.drain();
  expect(await readDrillView(engine.app, id)).toMatchObject({ status: 'Canceled' });
  expect(engine.scratch.writes).toEqual([]);
  const next = await startDrill(engine.app, 'http');
  for (let tick = 0; tick < 12; tick += 1) {
    await engine.drain();
    engine.advance(60_000);
    await watch(engine.app);
  }
  expect(await readDrillView(engine.app, next.id)).toMatchObject({ status: 'Succeeded', verdict: 'Passed' });
});

test('a drill that verifies is cancelled with its verification', async () => {
  const engine = await aBackedUp();
  const { id } = await startDrill(engine.app, 'http');
  await cancelDrill(engine.app, id);
  const view = await readDrillView(engine.app, id);
  expect(view).toMatchObject({ status: 'Canceled' });
  expect(await readVerificationView(engine.app, view.verificationId ?? '')).toMatchObject({ status: 'Canceled' });
});
