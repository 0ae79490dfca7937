import { DrError, orFault } from '../../../../core/errors.ts';
import { keyHashOf, membersOf, type RecordOfRows, sectionsOf, shardOf } from '../../../../core/registration/record.ts';
import { isAbsenceVoid } from '../../../../core/restore/plan/circumstances.ts';
import { intentOf, isWrittenOutcome, outcomeOf, type WrittenOutcome } from '../../../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../../../core/run/run.ts';
import type { Manifest } from '../../../../core/snapshot/manifest.ts';
import type { App } from '../../../app.ts';
import { readRun } from '../../../runs/store.ts';
import { needSnapshotFingerprints } from '../../../snapshots/fingerprints.ts';
import { openSnapshotShard, readManifest } from '../../../snapshots/store.ts';
import { once } from '../../../stored/once.ts';
import { extrasOf, placesIn, readUndo } from '../../outcomes/undo.ts';
import { outcomesOfAll, outcomesOfWritten, readNewest } from '../../outcomes/written.ts';
import { readComparison } from '../comparison.ts';

/** A record that an earlier run wrote, or was about to. */
interface Sent {
  readonly keyHash: number;
  readonly outcome: WrittenOutcome;
  /** Nothing where the snapshot it came from can no longer be read. */
  readonly open: () => Promise<RecordOfRows | undefined>;
}

/** A record that an earlier run was about to write, or to look at before that, or failed to write. */
interface Owed {
  readonly keyHash: number;
  /** The hub has accepted the write. */
  readonly isAccepted: boolean;
  /** The hub held it when that run looked, and would after it, too. */
  readonly wasThere: boolean;
}

interface EarlierWrites {
  readonly sent: readonly Sent[];
  readonly owed: readonly Owed[];
}

/** A run that ended before it had looked at what it wrote. */
export interface EarlierRun {
  readonly run: RestoreRun;
  /** Of the snapshot it restored; nothing where that was deleted. */
  readonly openManifest: () => Promise<Manifest | undefined>;
  /** Shards of the run that asks in which it is not known what it wrote. */
  readonly untold: Set<number>;
}

/** One that came to its own end has looked at its writes itself, but for those that show late. */
export function noteUntold(app: App, { run: { id, status }, untold }: EarlierRun, shard: number, code: string): void {
  if (status !== 'Succeeded') untold.add(shard);
  app.log.warn('writes of an unfinished run unknown', { runId: id, shard, code });
}

function toEarlierRun(app: App, run: RestoreRun): EarlierRun {
  const { sourceHub, snapshotId } = run.request;
  return { run, openManifest: once(() => readManifest(app, sourceHub, snapshotId)), untold: new Set() };
}

/** The unfinished runs that are still stored, the newest first; for all shards of a step. */
export function openEarlierRuns(app: App, { unfinished = [] }: RestoreRun): () => Promise<readonly EarlierRun[]> {
  return once(async () => {
    const runs = await Promise.all(unfinished.toReversed().map(({ id }) => readRun(app, 'restore', id)));
    return runs.flatMap((run) => (run === undefined ? [] : [toEarlierRun(app, run)]));
  });
}

/**
 * What an earlier run wrote, or was about to, of one of the run's shards; `changed` by key: what it had noted to put it
 * back. Without its documents that is not known.
 */
export async function readEarlierWrites(
  app: App,
  earlierRun: EarlierRun,
  shard: number,
  run: RestoreRun,
  changed: ReadonlyMap<string, unknown>,
): Promise<EarlierWrites> {
  const { run: earlier, openManifest } = earlierRun;
  const onUntold = (code: string): void => noteUntold(app, earlierRun, shard, code);
  const noted = new Set([...changed.keys()].map(keyHashOf));
  const shards = membersOf(sectionsOf(shard, run.shardCount, earlier.shardCount));
  const isOfShard = ({ keyHash }: { readonly keyHash: number }): boolean => shardOf(keyHash, run.shardCount) === shard;
  const read = async (): Promise<EarlierWrites> => {
    const manifest = await openManifest();
    const all = await Promise.all(shards.map((one) => readShardWrites(app, earlier, manifest, one, noted, onUntold)));
    return {
      sent: all.flatMap(({ sent }) => sent).filter(isOfShard),
      owed: all.flatMap(({ owed }) => owed).filter(isOfShard),
    };
  };
  const found = await orFault(read());
  if (!(found instanceof DrError)) return found;
  onUntold(found.code);
  return NO_WRITES;
}

const NO_WRITES: EarlierWrites = { sent: [], owed: [] };

async function readShardWrites(
  app: App,
  earlier: RestoreRun,
  manifest: Manifest | undefined,
  shard: number,
  noted: ReadonlySet<number>,
  onUntold: (code: string) => void,
): Promise<EarlierWrites> {
  const newest = await readNewest(app, earlier, shard);
  const outcomes = newest === undefined ? [] : [...outcomesOfWritten(newest)];
  const isVoid = isAbsenceVoid(earlier, app.policy.maxDeletePercent);
  const hasFailures = newest !== undefined && newest.failures.length > 0;
  if (outcomes.length === 0 && noted.size === 0 && !hasFailures && !isVoid) return NO_WRITES;
  if (manifest === undefined) {
    onUntold('SnapshotNotFound');
    return NO_WRITES;
  }
  // Nearly always fingerprints tell that all is as it was agreed on.
  const openRecords = once(async () => {
    const opened = await orFault(openSnapshotShard(app, manifest, shard).then((snapshot) => snapshot.openRecords()));
    if (!(opened instanceof DrError)) return opened;
    onUntold(opened.code);
    return undefined;
  });
  const fingerprints = await needSnapshotFingerprints(app, manifest, shard);
  const sent = outcomes.map(([index, outcome]) => ({
    keyHash: fingerprints.keyHashAt(index),
    outcome,
    open: async () => (await openRecords())?.at(index),
  }));
  const letters = newest?.letters ?? '';
  const first = isVoid ? await readComparison(app, earlier, shard, fingerprints.count, 1) : undefined;
  const owed: Owed[] = [];
  for (let index = 0; index < fingerprints.count; index += 1) {
    const letter = letters[index];
    const outcome = outcomeOf(letter);
    const intent = intentOf(letter);
    const isAccepted = isWrittenOutcome(outcome);
    const wasDue = isAccepted || outcome === 'failed' || intent !== undefined;
    const wasMissing = first !== undefined && !first.livesAt(index) && outcome !== 'goneInTarget';
    const keyHash = fingerprints.keyHashAt(index);
    // Nothing is sent before it is stored what it is about to do.
    const wasThere = intent === 'updated' || intent === 'renewed' || (!wasDue && noted.has(keyHash));
    if (wasDue || wasMissing || wasThere) owed.push({ keyHash, isAccepted, wasThere });
  }
  return { sent, owed };
}

/** What a rollback that ended before its end has made of a shard's records, or was about to, by the hashes of their keys. */
export interface EarlierRollback {
  readonly restore: RestoreRun;
  readonly putBack: ReadonlySet<number>;
  readonly removed: ReadonlySet<number>;
}

/** Nothing where that is not known, for its documents are gone or damaged. */
export async function readEarlierRollback(
  app: App,
  earlierRun: EarlierRun,
  shard: number,
  run: RestoreRun,
): Promise<EarlierRollback | undefined> {
  const { run: rollback, openManifest } = earlierRun;
  const read = async (): Promise<EarlierRollback | undefined> => {
    const restore = await readRun(app, 'restore', rollback.request.of ?? '');
    const manifest = await openManifest();
    if (restore === undefined || manifest === undefined) {
      noteUntold(app, earlierRun, shard, manifest === undefined ? 'SnapshotNotFound' : 'RunNotFound');
      return undefined;
    }
    const shards = membersOf(sectionsOf(shard, run.shardCount, rollback.shardCount));
    const all = await Promise.all(shards.map((one) => readUndoing(app, rollback, restore, manifest, one)));
    const ofShard = all.flat().filter(({ keyHash }) => shardOf(keyHash, run.shardCount) === shard);
    const of = (which: WrittenOutcome): ReadonlySet<number> =>
      new Set(ofShard.flatMap(({ keyHash, outcome }) => (outcome === which ? [keyHash] : [])));
    return { restore, putBack: of('putBack'), removed: of('removed') };
  };
  const found = await orFault(read());
  if (!(found instanceof DrError)) return found;
  noteUntold(app, earlierRun, shard, found.code);
  return undefined;
}

async function readUndoing(app: App, rollback: RestoreRun, restore: RestoreRun, manifest: Manifest, shard: number) {
  const newest = await readNewest(app, rollback, shard);
  if (newest === undefined) return [];
  const fingerprints = await needSnapshotFingerprints(app, manifest, shard);
  const undo = await readUndo(app, restore, shard);
  const extras = extrasOf(undo, placesIn(undo, fingerprints));
  const keyHashAt = (index: number): number =>
    index < fingerprints.count ? fingerprints.keyHashAt(index) : keyHashOf(extras[index - fingerprints.count] ?? '');
  return [...outcomesOfAll(newest)].map(([index, outcome]) => ({ keyHash: keyHashAt(index), outcome }));
}
