import { membersOf } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readComparison } from './comparison.ts';
import { readForeignRows } from './foreign-rows.ts';

/**
 * How many records the target has under another key only, as it was agreed on: each is created under the new key and
 * withdrawn under the old one, which is a move and no loss.
 */
export async function countMoves(app: App, run: RestoreRun): Promise<number> {
  const elsewhere = await readForeignRows(app, run);
  let moves = 0;
  for (const shard of membersOf({ first: 0, count: run.shardCount })) {
    const fingerprints = await readSnapshotFingerprints(app, run, shard);
    const comparison = await readComparison(app, run, shard, fingerprints.count);
    for (let index = 0; index < fingerprints.count; index += 1) {
      if (comparison.livesAt(index)) continue;
      const isMove = elsewhere.isDoomed(fingerprints.handleHashesAt(index), fingerprints.idHashesAt(index));
      if (isMove) moves += 1;
    }
  }
  return moves;
}
