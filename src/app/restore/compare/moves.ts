import { membersOf } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readComparison } from './comparison.ts';
import { readForeignRows } from './foreign-rows.ts';

/**
 * How many records that are to be withdrawn the snapshot has under another key: each is created there and withdrawn under
 * the old one, which is a move and no loss. Where the rows of one record went to several, one of these is the move.
 */
export async function countMoves(app: App, run: RestoreRun): Promise<number> {
  const elsewhere = await readForeignRows(app, run);
  const isMoved = new Uint8Array(elsewhere.doomedCount);
  let moves = 0;
  for (const shard of membersOf({ first: 0, count: run.shardCount })) {
    const fingerprints = await readSnapshotFingerprints(app, run, shard);
    const comparison = await readComparison(app, run, shard, fingerprints.count);
    for (let index = 0; index < fingerprints.count; index += 1) {
      if (comparison.livesAt(index)) continue;
      const doomed = elsewhere.doomedWith(fingerprints.handleHashesAt(index), fingerprints.idHashesAt(index));
      const moved = doomed.find((place) => isMoved[place] === 0);
      if (moved === undefined) continue;
      isMoved[moved] = 1;
      moves += 1;
    }
  }
  return moves;
}
