import { seededRandom, seedOf } from '../../local/emulator/random.ts';
import type { World } from '../../local/emulator/world.ts';

/** A world whose time passes only when a test moves it. */
export interface VirtualWorld extends World {
  /** What falls due happens in its order, at its time. */
  advance(milliseconds: number): void;
}

export function virtualWorld({ startAt = Date.now(), seed = 1 } = {}): VirtualWorld {
  let now = startAt;
  let waiting: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    after: (milliseconds, run) => {
      waiting.push({ at: now + milliseconds, run });
    },
    random: (name) => seededRandom(seedOf(`${seed}/${name}`)),
    advance: (milliseconds) => {
      const end = now + milliseconds;
      for (;;) {
        const next = waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        waiting = waiting.filter((each) => each !== next);
        now = next.at;
        next.run();
      }
      now = end;
    },
  };
}
