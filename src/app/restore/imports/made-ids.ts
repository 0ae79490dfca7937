import { mayBeMade } from '../../../core/restore/import-job.ts';
import { twinsOf } from '../../../core/restore/twins.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { ShardRecords } from '../../../core/snapshot/shard.ts';
import type { App } from '../../app.ts';
import type { LiveRecords } from '../compare/live-rows.ts';
import type { IdMap } from '../outcomes/id-map.ts';
import { readImports } from './store.ts';

interface Seen {
  readonly openRecords: () => Promise<ShardRecords>;
  /** What the listing that the pass goes by showed. */
  readonly openLive: () => Promise<LiveRecords>;
  readonly idMap: IdMap;
}

/**
 * The map of ids with those under which `importer`'s jobs have made registrations of the shard, as the listing shows them.
 * Where such a one is all there is of a row, its id stands for the snapshot's from now on. Where the row was written
 * under a known id, too, it is a twin, which passes withdraw, and a rollback removes with the other.
 */
export async function withMadeIds(
  app: App,
  importer: RestoreRun,
  shard: number,
  { openRecords, openLive, idMap }: Seen,
): Promise<IdMap> {
  const imports = await readImports(app, importer, shard);
  if (imports.length === 0) return idMap;
  const [records, live] = [await openRecords(), await openLive()];
  const alone = new Map<string, string>();
  const twinsFor = new Map<string, string[]>();
  for (const state of imports) {
    const isMade = mayBeMade(state);
    for (const [line, [index, place]] of state.lines.entries()) {
      const record = records.at(index);
      const [row, found] = [record.rows[place], live.get(record.key)];
      if (row === undefined || found === undefined) continue;
      const { isThere, twins } = twinsOf(row, record, found, idMap.mintedFor);
      const ids = twins.map(({ id }) => id).filter((id) => isMade(line, id));
      const first = isThere ? undefined : ids[0];
      const others = isThere ? ids : ids.slice(1);
      if (first !== undefined) alone.set(row.id, first);
      if (others.length > 0) twinsFor.set(row.id, [...(twinsFor.get(row.id) ?? []), ...others]);
    }
  }
  await idMap.note(alone);
  if (twinsFor.size === 0) return idMap;
  return {
    ...idMap,
    mintedFor: (id) => [...idMap.mintedFor(id), ...(twinsFor.get(id) ?? [])],
    twinsFor: (id) => twinsFor.get(id) ?? [],
  };
}
