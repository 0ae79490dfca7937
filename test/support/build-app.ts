import type { TestProject } from 'vitest/node';
import { ensureBuilt } from '../../local/build.ts';
import { type Bundle, buildBundle } from '../../local/bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    bundle: Bundle;
  }
}

/** Vitest's global setup: the app is compiled once before all tests, and only when its sources changed. */
export async function setup({ provide }: TestProject): Promise<void> {
  await ensureBuilt();
  provide('bundle', await buildBundle());
}
