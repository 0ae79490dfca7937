import {
  areSurelySame,
  fingerprintRecord,
  isAmong,
  recordVersionOf,
  versionOfRows,
} from '../../../core/fingerprint/row.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { manifestName } from '../../../core/paths.ts';
import { keyHashOf, membersOf, type RecordOfRows, sectionsOf } from '../../../core/registration/record.ts';
import type { WrittenRecord } from '../../../core/restore/plan/removal.ts';
import { seenVersions } from '../../../core/restore/plan/seen.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { Manifest } from '../../../core/snapshot/manifest.ts';
import type { App } from '../../app.ts';
import { appOfPair } from '../../runs/other-pairs.ts';
import { findRun } from '../../runs/store.ts';
import { needSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readManifest } from '../../snapshots/store.ts';
import { invalidDocument } from '../../stored/invalid.ts';
import { extrasOf, placesIn, readUndo } from '../outcomes/undo.ts';
import { outcomesOfWritten, readDonePasses, readNewest } from '../outcomes/written.ts';

type Written = ReadonlyMap<number, WrittenRecord>;

/** What became of a restore's records by newer runs into the same hub, for one shard of its rollback. */
export interface SinceRestore {
  /** A newer run has written the record, by the hash of its key: it is no longer this restore's. */
  isNewers(keyHash: number): boolean;
  /** With the versions that rows have got since, when a newer run's rollback put them back. */
  withVersions(written: Written): Written;
  /** The version that a record had before newer runs, where it shows as their rollbacks have put it back; else what shows. */
  versionBefore(keyHash: number, version: number): number;
}

/** Throws `StoredDocumentInvalid` when it is no longer known what a newer run wrote: without it, that would be removed, too. */
export async function readSinceRestore(
  app: App,
  { newer = [] }: RestoreRun,
  restore: RestoreRun,
  shard: number,
  fingerprints: FingerprintTable,
): Promise<SinceRestore> {
  const newers = new Set<number>();
  const putBacks: PutBack[] = [];
  for (const { id, pair, isUndone, rollbacks } of newer) {
    const itsApp = pair === undefined ? app : appOfPair(app, pair);
    const run = await findRun(itsApp, 'restore', id);
    for (const one of membersOf(sectionsOf(shard, restore.shardCount, run.shardCount))) {
      if (!isUndone) for (const keyHash of await readWrittenKeys(itsApp, run, one)) newers.add(keyHash);
      for (const rollback of rollbacks) putBacks.push(...(await readPutBacks(itsApp, run, rollback, one)));
    }
  }
  // In the order in which they were put back.
  putBacks.sort((a, b) => (a.at < b.at ? -1 : 1));
  const byKey = Map.groupBy(putBacks, ({ keyHash }) => keyHash);
  return {
    isNewers: (keyHash) => newers.has(keyHash),
    withVersions(written) {
      const all = new Map(written);
      const places = putBacks.length === 0 ? undefined : fingerprints.places();
      for (const putBack of putBacks) {
        const index = places?.get(putBack.keyHash);
        const what = index === undefined ? undefined : all.get(index);
        if (index === undefined || what === undefined) continue;
        if (isAsLeft(putBack.before, what, fingerprints.contentHashesAt(index)))
          all.set(index, putBackTo(what, putBack));
      }
      return all;
    },
    versionBefore(keyHash, version) {
      return (byKey.get(keyHash) ?? []).reduceRight(
        (known, { now, before }) => (recordVersionOf(now) === known ? versionOfRows(before.rows) : known),
        version,
      );
    },
  };
}

/** What a run overwrote or withdrew, and what its rollback made of it. */
interface PutBack {
  /** When the rollback began. */
  readonly at: string;
  readonly keyHash: number;
  readonly before: RecordOfRows;
  /** Version hashes of its rows as the rollback's first look showed them. */
  readonly now: readonly number[];
  /** How often either wrote it once more, because it had not appeared. */
  readonly rewriteCount: number;
}

/** Whether that is what the restore had left. A write of it that was repeated may have taken effect after its look. */
function isAsLeft({ key, rows }: RecordOfRows, what: WrittenRecord, contentHashes: readonly number[]): boolean {
  const { seen, rewriteCount = 0 } = what;
  if (seen === undefined) return false;
  const isSame = (): boolean => areSurelySame(contentHashes, fingerprintRecord({ key, rows }).contentHashes);
  return rows.every((row) => isAmong(seen, row)) || (rewriteCount > 0 && isSame());
}

/** Each write raises the ETag, and one that was repeated may take effect after all looks. */
function putBackTo(what: WrittenRecord, { before, now, rewriteCount }: PutBack): WrittenRecord {
  const putBack = new Set([...(what.putBack ?? []), ...now]);
  const seen = new Set([...(what.seen ?? []), ...now]);
  if (rewriteCount === 0) return { ...what, seen, putBack };
  const etag = Math.max(...before.rows.map((row) => row.etag));
  return { ...what, seen, putBack, rewriteCount: (what.rewriteCount ?? 0) + etag + 1 + rewriteCount };
}

async function readWrittenKeys(app: App, run: RestoreRun, shard: number): Promise<number[]> {
  const newest = await readNewest(app, run, shard);
  const positions = newest === undefined ? [] : [...outcomesOfWritten(newest).keys()];
  const undo = await readUndo(app, run, shard);
  const keyHashes = [...undo.keys()].map(keyHashOf);
  if (positions.length === 0) return keyHashes;
  const fingerprints = await needSnapshotFingerprints(app, await needManifest(app, run), shard);
  return [...keyHashes, ...positions.map((index) => fingerprints.keyHashAt(index))];
}

async function readPutBacks(app: App, run: RestoreRun, rollbackId: string, shard: number): Promise<PutBack[]> {
  const undo = await readUndo(app, run, shard);
  if (undo.size === 0) return [];
  const rollback = await findRun(app, 'restore', rollbackId);
  const written = await readDonePasses(app, run, shard);
  const undone = await readDonePasses(app, rollback, shard);
  const fingerprints = await needSnapshotFingerprints(app, await needManifest(app, run), shard);
  const inSnapshot = placesIn(undo, fingerprints);
  const extras = extrasOf(undo, inSnapshot).map((key, index) => [key, fingerprints.count + index] as const);
  const places = new Map([...inSnapshot, ...extras]);
  return [...undo].flatMap(([key, { before }]) => {
    const place = places.get(key) ?? -1;
    const now = seenVersions(undone.journals.map((journal) => journal.get(place)))?.seen;
    if (now === undefined) return [];
    const rewriteCount = written.countRewrites(place) + undone.countRewrites(place);
    return [{ at: rollback.createdAt, keyHash: keyHashOf(key), before, now, rewriteCount }];
  });
}

async function needManifest(app: App, { request: { sourceHub, snapshotId } }: RestoreRun): Promise<Manifest> {
  const manifest = await readManifest(app, sourceHub, snapshotId);
  if (manifest !== undefined) return manifest;
  const name = manifestName(sourceHub, snapshotId);
  throw invalidDocument({ what: 'document', name, why: 'of a newer run is missing' });
}
