import { hash53 } from '../../../core/bytes/hash.ts';
import type { FingerprintTable } from '../../../core/fingerprint/table.ts';
import { idMapName } from '../../../core/paths.ts';
import type { Hub, WriteOutcome } from '../../../core/ports.ts';
import type { Write } from '../../../core/restore/plan/write.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { forEachConcurrent } from '../../stored/concurrent.ts';
import { documents } from '../../stored/documents.ts';
import { readMap, readNewestMap, readOriginalIds } from './minted-ids.ts';

export interface IdMap {
  /** The id to write to: the snapshot's own, or the newest that is used in its place. */
  idFor(id: string): string;
  /**
   * The ids in place of one of the snapshot's: the target's own, where the snapshot's hub had refused it and given this
   * one out, then all that were asked for here, oldest first.
   */
  mintedFor(id: string): readonly string[];
  /** Under which other ids, that are to go, the target was seen to hold a row of the snapshot. */
  twinsFor(id: string): readonly string[];
  /** A refused id (404, 410) means that the target takes none of the snapshot's; 400 may be the row's own fault. */
  noteAnswer(id: string, answer: WriteOutcome): void;
  /** The target is known to refuse such ids: it is not asked again. */
  mustMap(writes: readonly Write[]): boolean;
  /** Stores ids that the target itself has given out in place of the snapshot's. */
  note(made: ReadonlyMap<string, string>): Promise<void>;
  /** Gets new ids in place of those that were, or would be, refused, and stores them. */
  map(writes: readonly Write[], deadlineAt: number): Promise<void>;
}

/**
 * Which new registration ids stand for those the target refused. The map is stored before a new id is written to, so
 * that a step that dies in between, or runs twice, uses the same id again and no device is registered twice. It belongs
 * to the target: a restore begun again while the hub does not show yet what the last one wrote uses the same ids, too.
 */
export async function openIdMap(
  app: App,
  hub: Hub,
  run: RestoreRun,
  shard: number,
  fingerprints: Pick<FingerprintTable, 'count' | 'idHashesAt'>,
): Promise<IdMap> {
  const name = idMapName(run.hub, run.shardCount, shard);
  const [originals, newest] = await Promise.all([readOriginalIds(app, run, shard), readNewestMap(app, run, shard)]);
  let { ids, etag } = newest;
  let refusesIds = false;
  const asked = new Set<string>();
  const refused = new Set<string>();

  let ownIds: ReadonlySet<number> | undefined;
  // After roles were exchanged the snapshot may hold one of the target's ids itself, of another row.
  const isOfSnapshot = (id: string): boolean => {
    ownIds ??= idHashesOf(fingerprints);
    return ownIds.has(hash53(id));
  };
  const mintedFor = (id: string): readonly string[] => {
    const others = [...(originals.get(id) ?? []), ...(ids.get(id) ?? [])];
    return others.filter((other) => !isOfSnapshot(other));
  };
  const idFor = (id: string): string => mintedFor(id).at(-1) ?? id;
  const isHopeless = (id: string): boolean => refusesIds && !asked.has(id) && mintedFor(id).length === 0;
  const needsNew = (id: string): boolean => refused.has(idFor(id)) || isHopeless(id);

  const oldIds = (writes: readonly Write[]): string[] =>
    writes.flatMap((write) => (write.kind === 'registration' ? [write.id] : []));

  const store = async (fresh: ReadonlyMap<string, string>, isWanted: (id: string) => boolean): Promise<void> => {
    while (fresh.size > 0) {
      // What a twin of this step stored first counts; its ids may be in use already.
      for (const [id, freshId] of fresh) if (isWanted(id)) ids.set(id, [...(ids.get(id) ?? []), freshId]);
      const next = await documents.idMap.write(app, name, { ids: Object.fromEntries(ids) }, { etag });
      if (next !== 'conflict') {
        etag = next;
        return;
      }
      ({ ids, etag } = await readMap(app, name, newest.earlier));
    }
  };

  let mapping = Promise.resolve();
  const mapNow = async (writes: readonly Write[], deadlineAt: number): Promise<void> => {
    const fresh = new Map<string, string>();
    try {
      await forEachConcurrent(oldIds(writes).filter(needsNew), app.policy.maxConcurrency, async (id) => {
        fresh.set(id, await hub.createRegistrationId({ deadlineAt }));
      });
    } finally {
      // Where time ran out, the next step asks only for the rest.
      await store(fresh, needsNew);
    }
  };

  return {
    idFor,
    mintedFor,
    twinsFor: () => NONE,
    noteAnswer(id, answer) {
      asked.add(id);
      if (answer.kind !== 'idRefused') return;
      refused.add(idFor(id));
      refusesIds ||= answer.status !== 400;
    },
    // Asked for every record, and nearly always of a hub that takes the snapshot's ids.
    mustMap: (writes) => refusesIds && oldIds(writes).some(isHopeless),
    note: (made) => store(made, (id) => !mintedFor(id).includes(made.get(id) ?? '')),
    map(writes, deadlineAt) {
      // One after the other: of two at once each would find that the other stored first.
      const mapped = mapping.then(() => mapNow(writes, deadlineAt));
      mapping = mapped.catch(() => {});
      return mapped;
    },
  };
}

const NONE: readonly string[] = [];

function idHashesOf(fingerprints: Pick<FingerprintTable, 'count' | 'idHashesAt'>): ReadonlySet<number> {
  return new Set(Array.from({ length: fingerprints.count }, (_, index) => fingerprints.idHashesAt(index)).flat());
}
