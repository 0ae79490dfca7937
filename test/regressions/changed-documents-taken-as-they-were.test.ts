import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import type { RunKind } from '../../src/core/paths.ts';
import { describePhase, type Run } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, backUp, beginRestore, contentOf, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { listAll } from '../support/list-all.ts';
import { anAppleRow } from '../support/rows.ts';

/** An engine whose primary is listed in pages of six rows, a page in 20 seconds, and two pages in a step. */
function createSlowEngine(): Engine {
  const engine: Engine = createEngine({
    policy: { stepBudgetMs: 30_000 },
    wrap: ({ primary }) => ({
      primary: {
        ...primary,
        listPage: async (token) => {
          engine.advance(20_000);
          const from = Number(token ?? 0);
          const rows = [...primary.rows.values()].map((xml) => Buffer.from(xml));
          return { rows: rows.slice(from, from + 6), nextToken: from + 6 < rows.length ? String(from + 6) : undefined };
        },
      },
    }),
  });
  seed(engine);
  return engine;
}

/** Drives a run to its end; `change` comes once, before the first step that finds the run where it is wanted. */
async function runWith(
  engine: Engine,
  kind: RunKind,
  runId: string,
  isDue: (run: Run, scan: string | undefined) => boolean,
  change: (read: (name: RegExp) => Promise<{ name: string; text: string }>) => Promise<void>,
): Promise<Run> {
  let isChanged = false;
  const read = async (pattern: RegExp) => {
    const entry = (await listAll(engine.blobs)).find(({ name }) => pattern.test(name));
    const name = entry?.name ?? `none of ${pattern.source}`;
    return { name, text: Buffer.from((await engine.blobs.get(name))?.bytes ?? []).toString('latin1') };
  };
  const run = await runToEnd(engine, kind, runId, async (text) => {
    if (!isChanged && isDue(await findRun(engine.app, kind, runId), (await read(/scan\.json$/)).text)) {
      isChanged = true;
      await change(read);
    }
    await runStep(engine.app, parseStep(JSON.parse(text)));
  });
  expect(isChanged).toBe(true);
  return run;
}

const before = (phase: string) => (run: Run) => describePhase(run.phase) === phase;

async function write({ blobs }: Engine, name: string, text: string): Promise<void> {
  const facts = (await blobs.list(name))[0]?.facts;
  await blobs.put(name, Buffer.from(text, 'latin1'), 'any', facts);
}

test('a continuation token that was changed in the checkpoint does not move the listing past rows', async () => {
  const engine = createSlowEngine();
  const { id } = await startBackup(engine.app, 'timer');
  let checkpoint = '';
  const run = await runWith(
    engine,
    'backup',
    id,
    (_run, scan) => scan?.includes('"token":"12"') ?? false,
    async (read) => {
      const { name, text } = await read(/scan\.json$/);
      checkpoint = name;
      await write(engine, name, text.replace('"token":"12"', '"token":"24"'));
    },
  );
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid', target: checkpoint } });
});

test('a checkpoint from the middle of a listing does not stand for the whole of it', async () => {
  const engine = createSlowEngine();
  const { id } = await startBackup(engine.app, 'timer');
  let older = '';
  const scanOf = `_runs/backup/${id}/pass-1/scan.json`;
  const run = await runWith(
    engine,
    'backup',
    id,
    (current, scan) => {
      if (scan?.includes('"token":"12"')) older = scan;
      return describePhase(current.phase) === 'seal#1';
    },
    async () => write(engine, scanOf, older),
  );
  expect(older).not.toBe('');
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid', target: scanOf } });
});

test('a list of handles that got lost does not bring a device back beside its newer self', async () => {
  const engine = createEngine();
  const token = 'ab'.repeat(32);
  engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token }));
  await backUp(engine);
  engine.secondary.rows.set('2-2-2', anAppleRow({ id: '2-2-2', token, tags: ['$InstallationId:{newer}'] }));
  const lost: string[] = [];
  const run = await runWith(engine, 'restore', await beginRestore(engine.app), before('reconcile#1'), async () => {
    for (const { name } of await engine.blobs.list('_runs/restore/')) {
      if (!name.includes('/foreign/')) continue;
      lost.push(name);
      await engine.blobs.remove(name);
    }
  });
  expect([...engine.secondary.rows.keys()]).toEqual(['2-2-2']);
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid' } });
  expect(lost).toContain(run.error?.target);
});

test('what lives in one shard is not held against another shard of the snapshot', async () => {
  const engine = await aBackedUp();
  for (const [id, xml] of engine.primary.rows) engine.secondary.rows.set(id, xml);
  const writes = engine.secondary.writes.length;
  const names: string[] = [];
  const run = await runWith(engine, 'restore', await beginRestore(engine.app), before('reconcile#1'), async (read) => {
    const [first, second] = [await read(/\/prints\/0000/), await read(/\/prints\/0001/)];
    names.push(first.name, second.name);
    await write(engine, first.name, second.text);
    await write(engine, second.name, first.text);
  });
  expect(run).toMatchObject({ status: 'Failed', error: { code: 'StoredDocumentInvalid' } });
  expect(names).toContain(run.error?.target);
  expect(engine.secondary.writes.slice(writes)).toEqual([]);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
