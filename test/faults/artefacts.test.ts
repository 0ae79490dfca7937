import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { startBackup } from '../../src/app/backup/start.ts';
import { cancelRestore } from '../../src/app/restore/outcomes/cancel.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { renewAll } from '../../src/app/runs/lease.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { searchLatest } from '../../src/app/snapshots/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { DrError } from '../../src/core/errors.ts';
import { type RunKind, runName } from '../../src/core/paths.ts';
import type { Hub } from '../../src/core/ports.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { describePhase, isOver } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { aBackedUp, backUp, beginRestore, contentOf, runToEnd, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anAppleRow } from '../support/rows.ts';
import { type Artefact, artefacts } from './artefacts.ts';
import { type Damage, damages, flips, type History, remembering, strike } from './damage.ts';

/** How often each damage could be done, over all artefacts. */
const tally = new Map<string, number>();

test.each(artefacts)(
  'a damaged $what before $before ends in a coded failure that names it, or in the same hub',
  async (artefact) => {
    const near = await approach(artefact);
    for (const damage of [...damages, ...flips(artefacts.indexOf(artefact))]) {
      const where = `${artefact.what} before ${artefact.before}, ${JSON.stringify(damage)}`;
      const { fixture, failure, warnings, damaged } = await backUpAndRestore(artefact, near, damage);
      if (damaged.length === 0) continue;
      const kind = typeof damage === 'string' ? damage : 'a byte changed';
      tally.set(kind, (tally.get(kind) ?? 0) + 1);
      const isNamed = (text: string): boolean =>
        damaged.some((name) => text.includes(name)) || (artefact.orNamed?.test(text) ?? false);
      if (failure !== undefined) {
        expect(failure, where).toMatch(/^(?!Internal|RunStuck)[A-Z][A-Za-z]+: ./);
        expect(isNamed(failure), `${where}: ${failure} names ${damaged.join(' or ')}`).toBe(true);
      } else if (warnings.some(isNamed)) {
        // The snapshot before, or the newest one although `latest.json` cannot be read.
        expect([fixture.olderContent, contentOf(fixture.primary)], where).toContainEqual(contentOf(fixture.secondary));
      } else expect(contentOf(fixture.secondary), where).toEqual(contentOf(fixture.primary));
    }
  },
);

test('every kind of damage was done', () => {
  expect([...tally.keys()].sort()).toEqual([...damages.map(String), 'a byte changed'].sort());
  const cells = [...tally.values()].reduce((sum, amount) => sum + amount, 0);
  console.log(`damages done: ${cells} over ${artefacts.length} artefacts`, Object.fromEntries(tally));
});

interface Fixture extends Engine {
  readonly history: History;
  /** What comes after each blob that is stored. */
  onPut: (name: string) => Promise<void>;
  /** What the primary held when the first of its two snapshots was taken. */
  readonly olderContent: readonly string[];
}

let onceBacked: Promise<Fixture> | undefined;
let twiceBacked: Promise<Fixture> | undefined;

/** A fixture for one damage. What comes before `during` is done once for all of them. */
async function fixtureFor(during: RunKind): Promise<Fixture> {
  onceBacked ??= changedAfterBackup();
  if (during === 'backup') return copyOf(await onceBacked);
  twiceBacked ??= onceBacked.then(async (fixture) => {
    const next = copyOf(fixture);
    await backUp(next);
    return next;
  });
  return copyOf(await twiceBacked);
}

async function changedAfterBackup(): Promise<Fixture> {
  const fixture = createFixture(createEngine(), new Map());
  seed(fixture);
  await backUp(fixture);
  const olderContent = contentOf(fixture.primary);
  fixture.primary.rows.set('779-5-1', anAppleRow({ id: '779-5-1', tags: ['new'] }));
  fixture.primary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['changed'], etag: 2 }));
  fixture.advance(60_000);
  return Object.assign(fixture, { olderContent });
}

const copyOf = (from: Fixture): Fixture =>
  Object.assign(createFixture(from, from.history), { olderContent: from.olderContent });

/** Hubs whose listings have several pages and are slow enough for several segments; the target gives ids of its own. */
function createFixture(from: Engine, before: History): Fixture {
  let history: History = before;
  const engine: Engine = from.fork((parts) => {
    const remembered = remembering(parts.blobs, before, (name) => fixture.onPut(name));
    history = remembered.history;
    const slowly = (hub: MemoryHub): Hub => ({ ...hub, listPage: async (token) => listSlowly(engine, hub, token) });
    return { blobs: remembered.blobs, primary: slowly(parts.primary), secondary: slowly(parts.secondary) };
  });
  engine.secondary.refusesForeignIds = true;
  const fixture: Fixture = { ...engine, blobs: engine.app.blobs, history, olderContent: [], onPut: async () => {} };
  return fixture;
}

const PAGE = 6;

async function listSlowly(engine: Engine, hub: MemoryHub, token: string | undefined) {
  engine.advance(20_000);
  await renewAll(engine.app);
  const from = Number(token ?? 0);
  const rows = [...hub.rows.values()];
  const next = from + PAGE;
  return {
    rows: rows.slice(from, next).map((xml) => Buffer.from(xml)),
    nextToken: next < rows.length ? String(next) : undefined,
  };
}

interface Ending {
  readonly fixture: Fixture;
  /** Code, message, target and details; absent when backup and restore both ended well. */
  readonly failure: string | undefined;
  readonly warnings: readonly string[];
  /** What was damaged; empty when this damage cannot be done here. */
  readonly damaged: readonly string[];
}

/** The last message before a damage is done, or within whose step it is done. */
interface Approach {
  readonly fixture: Fixture;
  /** Absent where the damage is done before the run starts. */
  readonly runId?: string;
}

/** Done once for all damages of an artefact. */
async function approach(artefact: Artefact): Promise<Approach> {
  const { what, during, before } = artefact;
  const fixture = await fixtureFor(during);
  if (before === 'start') return { fixture };
  const runId = await (during === 'backup' ? startTimedBackup(fixture) : beginRestore(fixture.app));
  let last: Fixture | undefined;
  let isReached = false;
  const deliver = lieInWait(fixture, artefact, runId, async () => {
    isReached = true;
  });
  await runToEnd(fixture, during, runId, deliver, () => {
    if (!isReached) last = copyOf(fixture);
  });
  if (!isReached || last === undefined) throw new Error(`There is no ${before} before which ${what} could be damaged.`);
  return { fixture: last, runId };
}

async function startTimedBackup({ app }: Fixture): Promise<string> {
  return (await startBackup(app, 'timer')).id;
}

/** Delivers messages, and calls `hit` once when it is time for the damage. */
function lieInWait(
  fixture: Fixture,
  { during, before }: Artefact,
  runId: string,
  hit: () => Promise<void>,
): (text: string) => Promise<void> {
  let isDone = false;
  const hitIf = async (isTime: boolean): Promise<void> => {
    if (isDone || !isTime) return;
    isDone = true;
    await hit();
  };
  // A phase of one step has no message of its own before which it could be damaged.
  fixture.onPut = async (name) => {
    if (isDone || !/^(?:publish|finish)#/.test(before) || name !== runName(during, runId)) return;
    await hitIf(describePhase((await findRun(fixture.app, during, runId)).phase) === before);
  };
  return async (text) => {
    const run = isDone ? undefined : await findRun(fixture.app, during, runId);
    if (run !== undefined) await hitIf(isOver(run) || describePhase(run.phase) === before);
    await runStep(fixture.app, parseStep(JSON.parse(text)));
  };
}

async function backUpAndRestore(
  artefact: Artefact,
  { fixture: near, runId }: Approach,
  damage: Damage,
): Promise<Ending> {
  const fixture = copyOf(near);
  let damaged: readonly string[] | undefined;
  const hit = async (): Promise<void> => {
    damaged = await strike(fixture.blobs, fixture.history, artefact, damage);
  };
  const drive = async (kind: RunKind, id: string, deliver?: (text: string) => Promise<void>): Promise<Ending> => {
    const { warnings, error } = await runToEnd(fixture, kind, id, deliver);
    return ending(error === undefined ? undefined : describeError(error), warnings);
  };
  const ending = (failure: string | undefined, warnings: readonly string[] = []): Ending => {
    if (damaged === undefined) throw new Error(`${artefact.what} was not damaged: ${failure}`);
    return { fixture, failure, warnings, damaged };
  };
  try {
    if (runId === undefined) await hit();
    else {
      const ended = await drive(artefact.during, runId, lieInWait(fixture, artefact, runId, hit));
      if (artefact.during === 'restore' || ended.failure !== undefined) return ended;
    }
    return await drive('restore', await beginRestore(fixture.app));
  } catch (error) {
    if (error instanceof DrError) return ending(describeError(error));
    throw error;
  }
}

function describeError(
  error: Pick<DrError, 'code' | 'message'> & Partial<Pick<DrError, 'target' | 'details'>>,
): string {
  return `${error.code}: ${error.message} ${error.target ?? ''} ${JSON.stringify(error.details ?? [])}`;
}

test('a segment whose parts are cut off or blotted out fails the backup by name, and no part is left out in silence', async () => {
  const calm = createEngine();
  seed(calm);
  await startBackup(calm.app, 'timer');
  const frameStarts = await stageAndFindFrames(calm);
  expect(frameStarts.length).toBeGreaterThan(10);
  for (const at of frameStarts) {
    for (const change of [
      (bytes: Uint8Array) => bytes.slice(0, at),
      (bytes: Uint8Array) => bytes.with(at, 0),
      (bytes: Uint8Array) => bytes.with(at + 8, 0xff),
    ]) {
      const engine = createEngine();
      seed(engine);
      const { id } = await startBackup(engine.app, 'timer');
      await stageAndFindFrames(engine);
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

/** Does the scan alone, and tells where in its segment the frames begin. */
async function stageAndFindFrames(engine: Engine): Promise<number[]> {
  for (const text of engine.queue.take()) await runStep(engine.app, parseStep(JSON.parse(text)));
  const [entry] = (await engine.blobs.list('_runs/backup/')).filter(({ name }) => name.includes('/segments/'));
  const bytes = Buffer.from((await engine.blobs.get(entry?.name ?? ''))?.bytes ?? []);
  const starts: number[] = [];
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) starts.push(at);
  return starts;
}

test('latest falls back to the newest intact good snapshot, says so, and is repaired by the next backup', async () => {
  const engine = createEngine();
  seed(engine);
  const warnings: string[] = [];
  const app = { ...engine.app, log: { ...engine.app.log, warn: (message: string) => warnings.push(message) } };
  const [first, second, third] = [await backUp(engine), await backUp(engine), await backUp(engine)];
  const hub = app.primary.ref;
  const latest = async () => {
    const { manifest, faults } = await searchLatest(app, hub);
    return [manifest?.id, ...faults.map((fault) => fault.target)];
  };
  const nameOf = (id: string, file: string): string => `one/devices/snapshots/${id}/${file}`;
  const put = (name: string, text: string) => engine.blobs.put(name, Buffer.from(text), 'any');
  const latestFile = 'one/devices/latest.json';
  const stored = (await engine.blobs.get(latestFile))?.bytes ?? new Uint8Array();

  expect(await latest()).toEqual([third]);
  await put(latestFile, Buffer.from(stored).toString().replace(third, third.replace('2026', '2996')));
  expect(await latest()).toEqual([third, latestFile]);
  await engine.blobs.put(latestFile, stored, 'any');
  await engine.blobs.remove(nameOf(third, 'shards/0001.jsonl.gz'));
  expect(await latest()).toEqual([second, nameOf(third, 'shards/0001.jsonl.gz')]);
  await engine.blobs.remove(nameOf(third, 'manifest.json'));
  expect(await latest()).toEqual([second, nameOf(third, 'manifest.json')]);
  await put(nameOf(second, 'manifest.json'), '{"formatVersion":1}');
  expect(await latest()).toEqual([first, nameOf(third, 'manifest.json'), nameOf(second, 'manifest.json')]);
  expect(warnings).toContain('passed over for latest');

  const { run } = await startRestore(app, parseRestoreRequest(''));
  expect(run.request.snapshotId).toBe(first);
  expect(run.warnings.join()).toContain(nameOf(second, 'manifest.json'));
  await cancelRestore(app, run.id);

  await put(nameOf(first, 'manifest.json'), '');
  const error: unknown = await startRestore(app, parseRestoreRequest('')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'NoGoodSnapshot',
    details: [{}, {}, { target: nameOf(first, 'manifest.json') }],
  });
  expect(await latest()).toHaveLength(4);

  await put(latestFile, 'damaged');
  const fresh = await backUp(engine);
  expect(await latest()).toEqual([fresh]);
});

test('an older latest.json does not bring an older snapshot back', async () => {
  const engine = await aBackedUp();
  const older = (await engine.blobs.get('one/devices/latest.json'))?.bytes ?? new Uint8Array();
  const newer = await backUp(engine);
  await engine.blobs.put('one/devices/latest.json', older, 'any');
  expect((await searchLatest(engine.app, engine.app.primary.ref)).manifest?.id).toBe(newer);
});

test('the checksum of a document can be computed by hand from its name and its text', async () => {
  const engine = createEngine();
  await backUp(engine).catch(() => {});
  const [entry] = await engine.blobs.list('_runs/backup/');
  for (const { name } of (await engine.blobs.list('_runs/')).filter((one) => one.name.endsWith('.json'))) {
    const text = Buffer.from((await engine.blobs.get(name))?.bytes ?? []).toString();
    const { sha256, ...rest }: Record<string, unknown> = JSON.parse(text);
    expect(
      createHash('sha256')
        .update(`${name}\n${JSON.stringify(rest)}`)
        .digest('hex'),
    ).toBe(sha256);
  }
  expect(entry).toBeDefined();
});
