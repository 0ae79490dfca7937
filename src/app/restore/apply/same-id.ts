import { hash53 } from '../../../core/bytes/hash.ts';
import { keyHashOf, type RecordOfRows, recordKey, shardOf } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readSnapshotFingerprints } from '../../snapshots/fingerprints.ts';
import { readOtherIds } from '../outcomes/minted-ids.ts';

/**
 * Whether a row of the target stays under its id: the snapshot holds its record, under that id or under one that stands
 * for it. Devices that had one id in turn, and got one each from the other hub, would be written over each other.
 */
export async function staysUnderItsId(app: App, run: RestoreRun, row: Registration): Promise<boolean> {
  const keyHash = keyHashOf(recordKey(row));
  const shard = shardOf(keyHash, run.shardCount);
  const fingerprints = await readSnapshotFingerprints(app, run, shard);
  const place = fingerprints.places().get(keyHash);
  if (place === undefined) return false;
  const others = await readOtherIds(app, run, shard);
  const ids = [row.id, ...[...others].flatMap(([id, standing]) => (standing.includes(row.id) ? [id] : []))];
  return ids.some((id) => fingerprints.mayHaveIdAt(place, hash53(id)));
}

/** What the hub shows under a record's ids, without what stays there of other records. `undefined` where that is all. */
export async function withoutOthers(
  app: App,
  run: RestoreRun,
  found: RecordOfRows | undefined,
): Promise<RecordOfRows | undefined> {
  if (found === undefined || found.rows.every((row) => recordKey(row) === found.key)) return found;
  const rows: Registration[] = [];
  for (const row of found.rows) {
    const isOther = recordKey(row) !== found.key && (await staysUnderItsId(app, run, row));
    if (!isOther) rows.push(row);
  }
  return rows.length === 0 ? undefined : { key: found.key, rows };
}
