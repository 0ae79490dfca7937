import type { HubStore } from './hub-store.ts';
import type { Random } from './random.ts';

/** In this many of the seeds operators ask for more than a plain restore. */
const SEEDS = 0.4;
/** Then of the restores. */
const RESTORES = 0.6;

/** What operators ask for beside the snapshot and the target. */
export class RequestOptions {
  /** Of its own, so that the seeds in which nothing is asked for stay as they are. */
  readonly #random: Random;
  readonly isUsed: boolean;

  constructor(random: Random) {
    this.#random = random;
    this.isUsed = random.chance(SEEDS);
  }

  /** The fields of one request. */
  draw(target: HubStore): object {
    const random = this.#random;
    if (!this.isUsed || !random.chance(RESTORES)) return {};
    return {
      ...(random.chance(0.4) ? { onConflict: 'overwrite', confirm: `${target.name}/devices` } : {}),
      ...(random.chance(0.4) ? { leftovers: random.pick(['keep', 'keep', 'withdraw']) } : {}),
      ...(random.chance(0.3) ? { resurrect: true } : {}),
    };
  }
}
