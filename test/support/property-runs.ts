import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** `npm test`, which is to be quick. */
    isQuick: boolean;
  }
}

/** How often a property is tried with other values: a quarter as often where each change waits for it. */
export const runs = (all: number): number => (inject('isQuick') ? Math.ceil(all / 4) : all);
