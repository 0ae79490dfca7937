import { type BaselineRecord, turned } from '../../core/baseline/record.ts';
import { BaselineTable } from '../../core/baseline/table.ts';
import { isFirstOfPair, isSameHub } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { shardOf } from '../../core/registration/record.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { numberBlobs } from '../stored/documents.ts';

/** What a pair of hubs agreed on, of one shard of a run, as seen from the run's source to its target. */
export interface BaselineShard {
  /** Also for a record without an agreement. */
  get(keyHash: number): BaselineRecord;
  /** Of every record that has an agreement or a note. */
  keyHashes(): Iterable<number>;
  /** What was stored cannot be read: its records are of unknown origin. */
  readonly isLost: boolean;
}

export type Pair = readonly [source: HubRef, target: HubRef];

/** The hubs whose baseline a run is about; of a repair in place, the hub and the one it is restored into otherwise. */
export function pairOf(app: App, { hub, request: { sourceHub } }: Pick<RestoreRun, 'hub' | 'request'>): Pair {
  const isRepair = isSameHub(hub, sourceHub);
  return [sourceHub, isRepair && !isSameHub(hub, app.secondary.ref) ? app.secondary.ref : hub];
}

/** From how it is stored to how it is seen from the run's source to its target, and back: it is turned likewise. */
export function orientationOf(app: App, run: RestoreRun): (record: BaselineRecord) => BaselineRecord {
  return isFirstOfPair(...pairOf(app, run)) ? (record) => record : turned;
}

export function toShard(
  app: App,
  run: RestoreRun,
  shard: number,
  tables: readonly BaselineTable[],
  without: 'none' | 'unknown',
): BaselineShard {
  const orient = orientationOf(app, run);
  return {
    get(keyHash) {
      for (const table of tables) {
        const record = table.get(keyHash);
        if (record !== undefined) return orient(record);
      }
      return { keyHash, agreed: without, note: undefined };
    },
    *keyHashes() {
      for (const table of tables) {
        for (const keyHash of table.keyHashes()) if (shardOf(keyHash, run.shardCount) === shard) yield keyHash;
      }
    },
    isLost: false,
  };
}

export function withAdopted(agreed: BaselineShard, adopted: BaselineShard): BaselineShard {
  const own = new Set(adopted.keyHashes());
  return {
    ...agreed,
    get: (keyHash) => (own.has(keyHash) ? adopted : agreed).get(keyHash),
    keyHashes: () => new Set([...own, ...agreed.keyHashes()]),
  };
}

export async function readTable(app: App, name: string): Promise<BaselineTable> {
  const { numbers } = await numberBlobs.baselineShard.read(app, name);
  try {
    return new BaselineTable(numbers);
  } catch (error) {
    if (error instanceof RangeError) throw numberBlobs.baselineShard.invalid(name, 'ends within a record');
    throw error;
  }
}
