import type { StoredIntent } from '../app/dual/intents.ts';

/** The writes of one device by this process, in their order. */
export interface Line {
  /** What this process stored last for it, while that may be there. */
  known: StoredIntent | undefined;
  /** By hub until when (epoch ms) a call of this process that was not answered may land. */
  readonly landing: Map<string, number>;
  storing: Promise<unknown>;
  /** By hub the last call. */
  readonly calls: Map<string, Promise<unknown>>;
  userCount: number;
}

/** Lines of devices that are being written, or of which something may still land. */
export function openLines(now: () => number) {
  const lines = new Map<string, Line>();
  const isIdle = ({ userCount, landing }: Line): boolean =>
    userCount === 0 && [...landing.values()].every((untilMs) => untilMs <= now());
  return {
    enter(hash: string): Line {
      const line = lines.get(hash) ?? {
        known: undefined,
        landing: new Map(),
        storing: Promise.resolve(),
        calls: new Map(),
        userCount: 0,
      };
      line.userCount += 1;
      lines.set(hash, line);
      return line;
    },
    leave(hash: string): void {
      const line = lines.get(hash);
      if (line === undefined) return;
      line.userCount -= 1;
      if (isIdle(line)) lines.delete(hash);
    },
    /** Forgets lines of which nothing can land any more. */
    tidy(): void {
      for (const [hash, line] of lines) if (isIdle(line)) lines.delete(hash);
    },
  };
}

/** Stores one after another. */
export function inTurn<T>(line: Line, work: () => Promise<T>): Promise<T> {
  const done = line.storing.then(work, work);
  line.storing = done.catch(() => {});
  return done;
}

/** Calls a hub after the line's call before. */
export function afterLast<T>(line: Line, hub: string, work: () => Promise<T>): Promise<T> {
  const before = line.calls.get(hub);
  const done = before === undefined ? work() : before.then(work);
  line.calls.set(
    hub,
    done.catch(() => {}),
  );
  return done;
}
