import { hash53 } from '../../../core/bytes/hash.ts';
import { Comparison } from '../../../core/fingerprint/comparison.ts';
import { areSurelySame, type RowFingerprint, recordVersionOf } from '../../../core/fingerprint/row.ts';
import { type Shown, shownBy, shownIn } from '../../../core/fingerprint/shown.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { keyHashOf } from '../../../core/registration/record.ts';
import { ForeignTable } from '../../../core/restore/plan/foreign-table.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readComparison, storeComparison } from './comparison.ts';
import { storeForeignRows } from './foreign-rows.ts';
import { openInTheWay } from './in-the-way.ts';
import { type LiveShard, lookThrough } from './live-rows.ts';
import { openRollbackScope, type RollbackScope } from './rollback-scope.ts';
import { storeSelection } from './selection.ts';

/**
 * What a rollback begins a pass with: it is about what its restore has changed, and puts back no device that has
 * registered by itself since under another key, for that would be pushed twice.
 */
export async function compareRollback(
  app: App,
  run: RestoreRun,
  shard: number,
  fingerprints: FingerprintTable,
  live: LiveShard,
): Promise<void> {
  const scope = await openRollbackScope(app, run, shard, fingerprints);
  const isDevicesOwn = await devicesOwnSince(app, shard, scope, fingerprints);
  const places = fingerprints.places();
  const foreign = new ForeignTable();
  const isInTheWay = await openInTheWay(app, run, live);
  const looked = await lookThrough(
    live,
    () => places.keys(),
    (part) => {
      for (const [keyHash, rows] of part) {
        if (!isDevicesOwn({ keyHash, place: places.get(keyHash), rows, shown: shownBy(rows) })) continue;
        for (const row of rows) if (isInTheWay(row)) foreign.add({ ...row, keyHash, kind: 'taken' });
      }
    },
  );
  await storeForeignRows(app, run, shard, foreign);
  if (run.phase.pass === 1) {
    await storeSelection(app, run, shard, {
      platforms: fingerprints.platformOfEach(),
      isSelected: (index) => scope.written.has(index) || scope.hasUndoAt(index),
      extras: [],
      extraOutcomes: scope.extras.map((key) => (scope.undo.has(key) ? 'pending' : 'excluded')),
      onlyInTarget: 0,
    });
  }
  const comparison = Comparison.of(fingerprints, looked.live, [], 0);
  await storeComparison(app, run, shard, comparison, looked, { foreign: String(foreign.length) });
}

interface LiveRecord {
  readonly keyHash: number;
  /** In the snapshot's shard. */
  readonly place: number | undefined;
  readonly rows: readonly RowFingerprint[];
  readonly shown: Shown;
}

/** Tells what devices have registered by themselves since a restore from what is as the restore found it or left it. */
async function devicesOwnSince(
  app: App,
  shard: number,
  { restore, written, undo, versionBefore }: RollbackScope,
  fingerprints: FingerprintTable,
): Promise<(live: LiveRecord) => boolean> {
  const undoBy = new Map(
    [...undo].map(([key, { before, isDisplaced }]) => {
      const ids = new Set(before.rows.map(({ id }) => hash53(id)));
      return [keyHashOf(key), { content: shownIn(before.rows).content, isDisplaced, ids }];
    }),
  );
  // One of an older version of the app has withdrawn nothing.
  const first =
    restore.source === undefined ? undefined : await readComparison(app, restore, shard, fingerprints.count, 1);
  const extras = new Map(first?.extras.map(({ keyHash, version }) => [keyHash, version]));
  const wasLiving = ({ keyHash, place, rows, shown }: LiveRecord): boolean => {
    const before = undoBy.get(keyHash);
    // Only some of its rows were written over: the others are where they were.
    const isOfRestore = place !== undefined && written.has(place);
    const isRest = before?.isDisplaced === true && !isOfRestore && !rows.some(({ idHash }) => before.ids.has(idHash));
    if (before !== undefined) return isRest || before.content === shown.content;
    const version = versionBefore(keyHash, shown.version);
    if (place === undefined) return extras.get(keyHash) === version;
    return first?.livesAt(place) === true && recordVersionOf(first.versionHashesAt(place)) === version;
  };
  return (live) => {
    if (wasLiving(live)) return false;
    const { place = -1, rows } = live;
    const left = written.get(place);
    if (left === undefined) return true;
    if (left.seen !== undefined) return !rows.every(({ versionHash }) => left.seen?.has(versionHash));
    const sent = fingerprints.contentHashesAt(place);
    const contentHashes = rows.map(({ contentHash }) => contentHash);
    // It may have died half way. An installation is written as a whole.
    const isPlain = fingerprints.idHashesAt(place).length > 0;
    return isPlain
      ? !contentHashes.every((one) => one !== 0 && sent.includes(one))
      : !areSurelySame(sent, contentHashes);
  };
}
