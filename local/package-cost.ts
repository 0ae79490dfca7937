import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type BuiltPackage, buildPackage } from './build-package.ts';

/** What is deployed, and how long it and the app as it is developed take to load. */
export interface PackageCost extends BuiltPackage {
  /** Milliseconds of each cold load, taken in turn with the other's. */
  readonly bundledMs: number[];
  readonly unbundledMs: number[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const PAIRS = 9;
const loadedSchema = z.object({ milliseconds: z.number(), functionNames: z.array(z.string()).min(1) });

/** Builds what is deployed into `folder` and loads it and the built project in turn, so that both see the same machine. */
export async function measurePackage(folder: string): Promise<PackageCost> {
  const built = await buildPackage(folder);
  const [bundledMs, unbundledMs]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    bundledMs.push(await coldLoad(folder));
    unbundledMs.push(await coldLoad(root));
  }
  return { ...built, bundledMs, unbundledMs };
}

/** From the start of a Node process to the last function's registration. */
async function coldLoad(appDir: string): Promise<number> {
  const child = fork(fileURLToPath(new URL('./cold-load.ts', import.meta.url)), [appDir]);
  const ended = once(child, 'exit').then(() => undefined);
  const message = await Promise.race([once(child, 'message'), ended]);
  child.kill('SIGKILL');
  if (message === undefined) throw new Error(`The app in "${appDir}" did not load.`);
  return loadedSchema.parse(message[0]).milliseconds;
}
