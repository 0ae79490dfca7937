import { expect, test } from 'vitest';
import { runStep } from '../../src/app/run-step.ts';
import { findLatestGood } from '../../src/app/snapshots.ts';
import { startBackup } from '../../src/app/start-backup.ts';
import { DrError } from '../../src/core/errors.ts';
import type { RunKind } from '../../src/core/paths.ts';
import { describePhase, isOver } from '../../src/core/run.ts';
import { parseStep } from '../../src/core/step.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { backUp, beginRestore, codeOf, contentOf, runToEnd, seed, storedRun } from './drive.ts';

type Damage = 'removed' | 'emptied' | 'cut in half' | { readonly flippedAt: number };

/** Flips are spread over the text, the first and the last byte included. */
const damages: readonly Damage[] = [
  'removed',
  'emptied',
  'cut in half',
  ...[0, 0.13, 0.29, 0.41, 0.5, 0.63, 0.78, 0.9, 1].map((flippedAt) => ({ flippedAt })),
];

interface Artefact {
  readonly what: string;
  readonly name: RegExp;
  /** When it is damaged: before the first step of this phase. */
  readonly during: RunKind;
  readonly before: string;
  /** What a failure may name in place of the blob itself. */
  readonly orNamed?: RegExp;
}

const artefacts: readonly Artefact[] = [
  {
    what: 'scan checkpoint of a backup',
    name: /\/scan\.json$/,
    during: 'backup',
    before: 'seal#1',
    orNamed: /\/segments\//,
  },
  { what: 'segment of a backup', name: /\/segments\//, during: 'backup', before: 'seal#1' },
  {
    what: 'seal result of a backup',
    name: /\/seal\/0001\.json$/,
    during: 'backup',
    before: 'publish#1',
    orNamed: /only 3 are sealed|SnapshotCorrupt/,
  },
  {
    what: 'run document of a backup',
    name: /\/run\.json$/,
    during: 'backup',
    before: 'seal#1',
    orNamed: /RunNotFound|WrongTarget|RestoreIncomplete|snapshot/i,
  },
  { what: 'lock of a backup', name: /^_locks\/backup\//, during: 'backup', before: 'seal#1' },
  { what: 'heartbeat of a backup', name: /\/heartbeat$/, during: 'backup', before: 'seal#1' },
  { what: 'shard of a snapshot being made', name: /\/shards\/0000/, during: 'backup', before: 'publish#1' },
  {
    what: 'manifest',
    name: /\/manifest\.json$/,
    during: 'restore',
    before: 'scan#1',
    orNamed: /NoGoodSnapshot|SnapshotNotFound/,
  },
  {
    what: 'manifest',
    name: /\/manifest\.json$/,
    during: 'restore',
    before: 'reconcile#1',
    orNamed: /NoGoodSnapshot|SnapshotNotFound/,
  },
  { what: 'latest.json', name: /\/latest\.json$/, during: 'restore', before: 'scan#1' },
  { what: 'shard of the snapshot', name: /devices\/snapshots\/.*\/shards\/0001/, during: 'restore', before: 'scan#1' },
  {
    what: 'shard of the snapshot',
    name: /devices\/snapshots\/.*\/shards\/0001/,
    during: 'restore',
    before: 'reconcile#1',
  },
  {
    what: 'scan checkpoint of a restore',
    name: /pass-2\/scan\.json$/,
    during: 'restore',
    before: 'seal#2',
    orNamed: /\/segments\//,
  },
  { what: 'segment of a restore', name: /pass-2\/segments\//, during: 'restore', before: 'seal#2' },
  { what: 'seal result of a restore', name: /pass-1\/seal\/0001\.json$/, during: 'restore', before: 'reconcile#1' },
  { what: "target's shard", name: /pass-2\/target\/0001/, during: 'restore', before: 'reconcile#2' },
  {
    what: 'reconcile result',
    name: /pass-1\/reconcile\/0001\.json$/,
    during: 'restore',
    before: 'reconcile#2',
    orNamed: /shard 1 /,
  },
  { what: 'id map', name: /\/id-map\/0001\.json$/, during: 'restore', before: 'reconcile#2' },
  {
    what: 'run document of a restore',
    name: /_runs\/restore\/.*\/run\.json$/,
    during: 'restore',
    before: 'reconcile#1',
    orNamed: /RunNotFound|WrongTarget|RestoreIncomplete|snapshot/i,
  },
  { what: 'lock of a restore', name: /^_locks\/restore\//, during: 'restore', before: 'reconcile#1' },
  { what: 'heartbeat of a restore', name: /_runs\/restore\/.*\/heartbeat$/, during: 'restore', before: 'reconcile#1' },
];

test.each(artefacts)('a damaged $what before $before ends in a coded failure or in the same hub', async (artefact) => {
  for (const damage of damages) {
    const engine = createEngine();
    seed(engine);
    engine.secondary.refusesForeignIds = true;
    const where = `${artefact.what} before ${artefact.before}, ${JSON.stringify(damage)}`;
    const { failure, damaged } = await backUpAndRestore(engine, artefact, damage);
    if (failure === undefined) expect(contentOf(engine.secondary), where).toEqual(contentOf(engine.primary));
    else {
      expect(failure, where).toMatch(/^(?!Internal|RunStuck)[A-Z][A-Za-z]+: ./);
      if (!artefact.orNamed?.test(failure)) expect(failure, where).toContain(damaged);
    }
  }
});

interface Ending {
  /** Code, message and target; absent when backup and restore both ended well. */
  readonly failure: string | undefined;
  readonly damaged: string | undefined;
}

async function backUpAndRestore(engine: Engine, artefact: Artefact, damage: Damage): Promise<Ending> {
  let damaged: string | undefined;
  const strike = async (kind: RunKind, runId: string): Promise<void> => {
    if (damaged !== undefined || kind !== artefact.during) return;
    const run = await storedRun(engine.app, kind, runId);
    if (!isOver(run) && describePhase(run.phase) !== artefact.before) return;
    damaged = await damageFirst(engine, artefact.name, damage);
  };
  const drive = async (kind: RunKind, runId: string): Promise<string | undefined> => {
    const run = await runToEnd(engine, kind, runId, async (text) => {
      await strike(kind, runId);
      await runStep(engine.app, parseStep(JSON.parse(text)));
    });
    return run.error === undefined ? undefined : `${run.error.code}: ${run.error.message} ${run.error.target ?? ''}`;
  };
  try {
    const backup = await startBackup(engine.app, 'timer');
    const failure = await drive('backup', backup.id);
    if (failure !== undefined) return { failure, damaged };
    if (artefact.before === 'scan#1') damaged = await damageFirst(engine, artefact.name, damage);
    const restoreFailure = await drive('restore', await beginRestore(engine.app));
    expect(damaged, `${artefact.what} was damaged`).toBeDefined();
    return { failure: restoreFailure, damaged };
  } catch (error) {
    if (error instanceof DrError) return { failure: `${error.code}: ${error.message} ${error.target ?? ''}`, damaged };
    throw error;
  }
}

/** Damages the first blob of this name and gives its name; its facts stay as they are. */
async function damageFirst({ blobs }: Engine, pattern: RegExp, damage: Damage): Promise<string> {
  const entry = (await blobs.list('')).find(({ name }) => pattern.test(name));
  if (entry === undefined) throw new Error(`There is no ${pattern.source} to damage.`);
  const bytes = Uint8Array.from((await blobs.get(entry.name))?.bytes ?? []);
  if (damage === 'removed') await blobs.remove(entry.name);
  else await blobs.put(entry.name, damagedBytes(bytes, damage), 'any', entry.facts);
  return entry.name;
}

function damagedBytes(bytes: Uint8Array, damage: Exclude<Damage, 'removed'>): Uint8Array {
  if (damage === 'emptied') return new Uint8Array();
  if (damage === 'cut in half') return bytes.slice(0, bytes.length / 2);
  const at = Math.round(damage.flippedAt * (bytes.length - 1));
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}

test('a segment whose parts are cut off or blotted out fails the backup by name, and no part is left out in silence', async () => {
  const calm = createEngine();
  seed(calm);
  await startBackup(calm.app, 'timer');
  const memberStarts = await stageAndFindMembers(calm);
  expect(memberStarts.length).toBeGreaterThan(10);
  for (const at of memberStarts) {
    for (const change of [
      (bytes: Uint8Array) => bytes.slice(0, at),
      (bytes: Uint8Array) => bytes.with(at, 0),
      (bytes: Uint8Array) => bytes.with(at + 8, 0xff),
    ]) {
      const engine = createEngine();
      seed(engine);
      const { id } = await startBackup(engine.app, 'timer');
      await stageAndFindMembers(engine);
      const [entry] = await engine.blobs.list(`_runs/backup/${id}/staging/`);
      const bytes = (await engine.blobs.get(entry?.name ?? ''))?.bytes ?? new Uint8Array();
      await engine.blobs.put(entry?.name ?? '', change(bytes), 'any');
      const run = await runToEnd(engine, 'backup', id);
      if (run.status === 'Succeeded') expect(run, `byte ${at}`).toMatchObject({ result: { recordCount: 24 } });
      else {
        expect(run.error, `byte ${at}`).toMatchObject({ code: 'StoredDocumentInvalid', target: entry?.name });
      }
    }
  }
});

/** Does the scan alone, and tells where in its segment the gzip members begin. */
async function stageAndFindMembers(engine: Engine): Promise<number[]> {
  for (const text of engine.queue.take()) await runStep(engine.app, parseStep(JSON.parse(text)));
  const [entry] = (await engine.blobs.list('_runs/backup/')).filter(({ name }) => name.includes('/segments/'));
  const bytes = Buffer.from((await engine.blobs.get(entry?.name ?? ''))?.bytes ?? []);
  const starts: number[] = [];
  const magic = Buffer.from([0x1f, 0x8b, 0x08]);
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) starts.push(at);
  return starts;
}

test('latest falls back to the newest intact good snapshot', async () => {
  const engine = createEngine();
  seed(engine);
  const first = await backUp(engine);
  const second = await backUp(engine);
  const third = await backUp(engine);
  const hub = engine.app.primary.ref;
  const latest = async () => (await findLatestGood(engine.app, hub))?.id;
  expect(await latest()).toBe(third);
  await damageFirst(engine, /latest\.json$/, 'cut in half');
  expect(await latest()).toBe(third);
  await damageFirst(engine, new RegExp(`${third}/manifest\\.json$`), { flippedAt: 0.5 });
  expect(await latest()).toBe(second);
  await damageFirst(engine, new RegExp(`${second}/manifest\\.json$`), 'removed');
  expect(await latest()).toBe(first);
  await damageFirst(engine, new RegExp(`${first}/manifest\\.json$`), 'emptied');
  expect(await codeOf(beginRestore(engine.app))).toBe('NoGoodSnapshot');
  const fresh = await backUp(engine);
  expect(await latest()).toBe(fresh);
});
