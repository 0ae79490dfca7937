import { ensureBuilt } from '../../local/build.ts';

/** Vitest's global setup: the app is compiled once before all tests, and only when its sources changed. */
export async function setup(): Promise<void> {
  await ensureBuilt();
}
