import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    isSoak: boolean;
  }
}

/** How many cases of a property are tried: a quarter where a change waits for it, all in `npm run soak`. */
export const runs = (all: number): number => (inject('isSoak') ? all : Math.ceil(all / 4));
