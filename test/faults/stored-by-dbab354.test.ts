import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { startBackup } from '../../src/app/backup/start.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { reportRestore } from '../../src/app/restore/report.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readMarks } from '../../src/app/snapshots/marks.ts';
import { searchLatest } from '../../src/app/snapshots/store.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { beginRestore, contentOf, runToEnd } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const stateSchema = z.object({
  nowMs: z.number(),
  runId: z.string().default(''),
  messages: z.array(z.string()),
  primary: z.record(z.string(), z.string()).default({}),
  secondary: z.record(z.string(), z.string()),
  blobs: z.record(
    z.string(),
    z.object({
      text: z.string().optional(),
      base64: z.string().optional(),
      facts: z.record(z.string(), z.string()),
    }),
  ),
});

function stateIn(file: string): z.infer<typeof stateSchema> {
  const url = new URL(`../fixtures/stored-by-dbab354/${file}.json`, import.meta.url);
  return stateSchema.parse(JSON.parse(readFileSync(url, 'utf8')));
}

/** Ids the target gave out before: the new hub must not give them out again. */
const GIVEN_IDS = 200;

/** An engine where the earlier version left off, and the run that it had begun. */
async function resume(
  file: string,
  queue: 'kept' | 'lost',
): Promise<{ readonly engine: Engine; readonly runId: string }> {
  const engine = createEngine();
  const [snapshot, state] = [stateIn('snapshot'), stateIn(file)];
  engine.advance(state.nowMs - engine.app.world.now());
  for (const [name, { text, base64, facts }] of Object.entries({ ...snapshot.blobs, ...state.blobs })) {
    await engine.container.put(
      name,
      text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text),
      'any',
      facts,
    );
  }
  for (const [id, xml] of Object.entries(snapshot.primary)) engine.primary.rows.set(id, xml);
  for (const [id, xml] of Object.entries(state.secondary)) engine.secondary.rows.set(id, xml);
  for (let count = 0; count < GIVEN_IDS; count += 1) await engine.secondary.createRegistrationId({ deadlineAt: 0 });
  if (queue === 'kept') await engine.queue.send('former', state.messages);
  return { engine, runId: state.runId };
}

const OWN = '8-8-8';

function withoutOwn({ secondary }: Engine): string[] {
  return contentOf({ rows: new Map([...secondary.rows].filter(([id]) => id !== OWN)) });
}

test('its snapshot is the latest good one, with its marks, and restores completely', async () => {
  const { engine } = await resume('snapshot', 'kept');
  const { app } = engine;
  const { manifest, faults } = await searchLatest(app, app.primary.ref);
  expect(faults).toEqual([]);
  expect((await readMarks(app, app.primary.ref)).get(manifest?.id ?? '')).toMatchObject({
    isPinned: true,
    proof: { how: 'verified', isSound: true },
    churn: { added: 1, removed: 1 },
  });
  const id = await beginRestore(app);
  expect(await runToEnd(engine, 'restore', id)).toMatchObject({
    status: 'Succeeded',
    request: { snapshotId: manifest?.id },
    result: { counts: { total: manifest?.counts.records, created: manifest?.counts.records, failed: 0, pending: 0 } },
  });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('its readiness card, drill and heartbeat are read as they are', async () => {
  const { engine } = await resume('snapshot', 'kept');
  const errors: string[] = [];
  const log = {
    ...engine.app.log,
    warn: (text: string) => errors.push(text),
    error: (text: string) => errors.push(text),
  };
  const app = { ...engine.app, log };
  await watchRuns(app);
  expect(await readStatus(app)).toMatchObject({ lastDrill: { verdict: 'Passed' } });
  expect(errors).toEqual([]);
});

test('a backup of today is compared with its snapshot', async () => {
  const { engine } = await resume('snapshot', 'kept');
  const { id } = await startBackup(engine.app, 'http');
  expect(await runToEnd(engine, 'backup', id)).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  const marks = await readMarks(engine.app, engine.app.primary.ref);
  expect(marks.get(id)?.churn).toMatchObject({ added: 0, removed: 0, changed: 0 });
});

test.each(['kept', 'lost'] as const)('a backup it had begun is finished, its messages %s', async (queue) => {
  const { engine, runId } = await resume('backup', queue);
  expect(await runToEnd(engine, 'backup', runId)).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  const id = await beginRestore(engine.app, { snapshot: runId });
  expect(await runToEnd(engine, 'restore', id)).toMatchObject({ status: 'Succeeded' });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test.each(
  ['restore', 'restore-second-pass'].flatMap((file) => [
    { file, queue: 'kept' as const },
    { file, queue: 'lost' as const },
  ]),
)(
  'a run it had begun ($file) is ended by name and finished by a new one, its messages $queue',
  async ({ file, queue }) => {
    const { engine, runId } = await resume(file, queue);
    expect(await runToEnd(engine, 'restore', runId)).toMatchObject({
      status: 'Failed',
      error: { code: 'RunOfOlderVersion', message: expect.stringContaining('Start a new restore') },
    });
    const newId = await beginRestore(engine.app);
    expect(await runToEnd(engine, 'restore', newId)).toMatchObject({
      status: 'Succeeded',
      result: { counts: { failed: 0, pending: 0 } },
    });
    expect(engine.secondary.rows.has(OWN)).toBe(true);
    expect(withoutOwn(engine)).toEqual(contentOf(engine.primary));
    expect(await reportRestore(engine.app, runId)).toMatchObject({ note: 'by dbab354', status: 'Failed' });
    // What it saw of its rows in both versions is enough to take them back.
    for (const of of file === 'restore' ? [newId, runId] : [runId]) {
      const { id } = await startRollback(engine.app, of, { confirm: 'three/devices' });
      expect(await runToEnd(engine, 'restore', id)).toMatchObject({ status: 'Succeeded' });
    }
    expect([...engine.secondary.rows.keys()]).toEqual([OWN]);
  },
);

test.each(['kept', 'lost'] as const)('a rollback it had begun is finished, its messages %s', async (queue) => {
  const { engine, runId } = await resume('rollback', queue);
  expect(await runToEnd(engine, 'restore', runId)).toMatchObject({
    status: 'Succeeded',
    request: { purpose: 'rollback' },
    result: { counts: { failed: 0, pending: 0 } },
  });
  expect([...engine.secondary.rows.keys()]).toEqual([OWN]);
});
