import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    isSoak: boolean;
  }
}

/** How many cases of a property are tried: all in `npm run soak`, a quarter where a change waits for it, an eighth of many. */
export const runs = (all: number): number => (inject('isSoak') ? all : Math.ceil(all / (all < MANY ? 4 : 8)));

const MANY = 400;

/**
 * Whether the write at which a process dies still takes effect. What a death before a write leaves is what one after the
 * write before it left, but for writes at the same time: `npm run soak` tries both.
 */
export const deaths = (): readonly boolean[] => (inject('isSoak') ? [false, true] : [true]);
