import { emptyName, isSameHub } from '../../core/paths.ts';
import { showsAll } from '../../core/restore/plan/too-early.ts';
import { isOver, type RestoreRun, startOfRunId, type Term } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, toInstant } from '../app.ts';
import { findBaseline } from '../baseline/store.ts';
import { launchRun, newRun } from '../runs/launch.ts';
import { readRun } from '../runs/store.ts';
import { findNewestGood, listSnapshotIds, readManifest } from '../snapshots/store.ts';
import { documents } from '../stored/documents.ts';
import { readSeen } from './outcomes/card-facts.ts';
import { makeWay, syncHolding } from './outcomes/end-sync.ts';

const DAY_MS = 86_400_000;

/** What is decided about a run before it begins; the rest follows from the snapshot and the time. */
export interface NewRestore extends Pick<RestoreRun, 'hub' | 'warnings' | 'requestedBy' | 'askedBy' | 'newer'> {
  /** Which hub was in use when. */
  readonly terms: readonly Term[];
  /** The caller's, if there is one. */
  readonly id: string | undefined;
  readonly manifest: Manifest;
  /** The snapshot holds what was taken back since. */
  readonly isUndone: true | undefined;
  readonly request: Omit<RestoreRun['request'], 'snapshotId' | 'sourceHub' | 'expiryFloorAt'>;
}

/**
 * Makes the run the one active restore of its hub, stores it and enqueues its first step. When its id is taken, the
 * answer is the run that has it. Throws `RunInProgress` while another one lives.
 */
export async function launchRestore(
  app: App,
  { id, manifest, isUndone, request, terms, ...given }: NewRestore,
): Promise<{ readonly run: RestoreRun; readonly isNew: boolean }> {
  const base = newRun(app, 'scan', id);
  const asked = {
    ...request,
    snapshotId: manifest.id,
    sourceHub: manifest.hub,
    expiryFloorAt: toInstant(Date.parse(base.createdAt) + app.policy.expiryFloorDays * DAY_MS),
  };
  const seen = await readSeen(app, given.hub);
  const { baseline, unfinished: noted } = await findBaseline(app, { hub: given.hub, request: asked });
  // A repair in place does not look at both hubs: what those runs wrote is left to the next restore between them.
  const looksAtBoth = request.purpose !== 'rollback' && !isSameHub(given.hub, manifest.hub);
  const unfinished = looksAtBoth ? await readUnfinished(app, noted) : [];
  const launched = await launchInstead(app, {
    ...base,
    ...given,
    phase: { ...base.phase, notBefore: startOfLooking(app, unfinished) },
    kind: 'restore',
    shardCount: manifest.shards.length,
    recordCount: manifest.counts.records,
    baseline,
    unfinished: unfinished.map((one) => ({ id: one.id, endedAt: endOf(one) })),
    terms: [...terms],
    expectedRows: { first: seen?.rows, later: manifest.counts.registrations },
    ownSnapshot: await findOwnSnapshot(app, terms, given.hub),
    source: {
      ...(await describeSource(app, manifest)),
      ...(isUndone ? { isUndone } : {}),
    },
    request: asked,
  });
  const { run } = launched;
  const { purpose, of } = run.request;
  if (launched.isNew) {
    app.log.info('restore started', { runId: run.id, purpose, of, snapshotId: manifest.id, records: run.recordCount });
  }
  return launched;
}

/** A sync that began while an operator's call was checked makes way, too. */
async function launchInstead(app: App, run: RestoreRun) {
  const { purpose, target } = run.request;
  if (purpose === 'sync' || target === 'drill') return launchRun(app, run);
  let launched: Awaited<ReturnType<typeof launchRun<'restore'>>> | undefined;
  const sync = await syncHolding(async () => {
    launched = await launchRun(app, run);
  });
  if (launched !== undefined) return launched;
  await makeWay(app, sync);
  return launchRun(app, run);
}

interface Unfinished {
  readonly id: string;
  /** `undefined`: it is no longer stored. */
  readonly run: RestoreRun | undefined;
}

function readUnfinished(app: App, ids: readonly string[]): Promise<Unfinished[]> {
  return Promise.all(ids.map(async (id) => ({ id, run: await readRun(app, 'restore', id) })));
}

/** One that still runs, into the other hub, is known by what it has written so far, and stays unfinished. */
function endOf({ run }: Unfinished): string | undefined {
  return run === undefined || isOver(run) ? run?.finishedAt : NEVER;
}

const NEVER = '9999-12-31T23:59:59.999Z';

/**
 * What a run wrote that has ended just now, and has not looked itself, gets the time to show. What made way for this one
 * does not: a person waits, the next look finds what shows late, and what is to be written is asked for before.
 */
function startOfLooking({ policy, world }: App, unfinished: readonly Unfinished[]): string | undefined {
  const nowMs = world.storageNow();
  const isWaitedFor = ({ run }: Unfinished): boolean =>
    run?.status !== 'Succeeded' && run?.error?.code !== 'Superseded' && !showsAll(run?.finishedAt, nowMs);
  if (!unfinished.some(isWaitedFor)) return undefined;
  return toInstant(nowMs + Math.max(LEAST_WAIT_SECONDS, policy.settleSeconds) * 1000);
}

const LEAST_WAIT_SECONDS = 10;

/** The newest good snapshot of the target itself, if that was in use before. */
async function findOwnSnapshot(
  app: App,
  terms: readonly Term[],
  hub: RestoreRun['hub'],
): Promise<RestoreRun['ownSnapshot']> {
  if (!terms.slice(0, -1).some((term) => isSameHub(term.hub, hub))) return undefined;
  const [id] = await findNewestGood(app, hub, await listSnapshotIds(app, hub));
  const manifest = id === undefined ? undefined : await readManifest(app, hub, id);
  return manifest && { id: manifest.id, readAt: manifest.readStartedAt };
}

/** What withdrawing and creating again go by, beside the snapshot itself. */
async function describeSource(app: App, manifest: Manifest): Promise<NonNullable<RestoreRun['source']>> {
  const ids = await listSnapshotIds(app, manifest.hub);
  const oldest = startOfRunId(ids[0] ?? manifest.id) ?? Date.parse(manifest.readStartedAt);
  const empty = await documents.empty.tryFind(app, emptyName(manifest.hub), 'mayBeMissing');
  // One that cannot be read says at least that there was one.
  const emptyAt = empty.value?.at ?? (empty.etag === undefined ? undefined : manifest.readStartedAt);
  return {
    ...(emptyAt === undefined ? {} : { emptyAt }),
    readAt: manifest.readStartedAt,
    isSuspect: manifest.health === 'suspect',
    newestGood: await findNewestGood(app, manifest.hub, ids),
    oldestAt: toInstant(oldest),
  };
}
