import { CONFIRMED_FOLDER, confirmedName } from '../../core/paths.ts';
import { type App, toInstant } from '../app.ts';
import { numberBlobs } from '../stored/documents.ts';
import { removeBefore } from '../stored/remove-all.ts';
import type { Storage } from './intents.ts';

/** Collects the devices whose change both hubs have confirmed, to be stored together. */
export interface Confirmations {
  add(keyHash: number | undefined): void;
  /** What could not be stored is kept for the next time. */
  flush(): Promise<void>;
}

export function collectConfirmations(app: Storage): Confirmations {
  let pairs: number[] = [];
  return {
    add(keyHash) {
      if (keyHash !== undefined) pairs.push(keyHash, app.world.storageNow());
    },
    async flush() {
      if (pairs.length === 0) return;
      const stored = pairs;
      pairs = [];
      const name = confirmedName(toInstant(app.world.storageNow()), app.world.newSuffix());
      try {
        await numberBlobs.confirmed.write(app, name, { title: {}, numbers: Float64Array.from(stored) }, 'new');
      } catch (error) {
        pairs = [...stored, ...pairs];
        throw error;
      }
    },
  };
}

/** How long they are kept: longer than any time between two syncs that a hub is still worth one. */
export const KEEP_MS = 10 * 86_400_000;

export async function pruneConfirmed(app: App): Promise<void> {
  const before = confirmedName(toInstant(app.world.storageNow() - KEEP_MS), '');
  await removeBefore(app, CONFIRMED_FOLDER, before);
}
