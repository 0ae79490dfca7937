import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';
import { ensureBuilt } from './build.ts';

/** How long what is deployed and the app as it is developed take to load. */
export interface ColdLoads {
  /** Milliseconds of each cold load, taken in turn with the other's. */
  readonly bundledMs: number[];
  readonly unbundledMs: number[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const PAIRS = 9;
const loadedSchema = z.object({ milliseconds: z.number(), functionNames: z.array(z.string()).min(1) });

/** Loads what is deployed, in `folder`, and the built project in turn, so that both see the same machine. */
export async function measureColdLoads(folder: string): Promise<ColdLoads> {
  await ensureBuilt();
  const [bundledMs, unbundledMs]: [number[], number[]] = [[], []];
  const loaderFolder = await mkdtemp(join(tmpdir(), 'cold-load-'));
  try {
    const loader = await buildLoader(loaderFolder);
    for (let pair = 0; pair < PAIRS; pair += 1) {
      bundledMs.push(await coldLoad(loader, folder));
      unbundledMs.push(await coldLoad(loader, root));
    }
  } finally {
    await rm(loaderFolder, { recursive: true });
  }
  return { bundledMs, unbundledMs };
}

/** The loader as plain JavaScript: stripping its types at the start would cost half of what loading the app does. */
async function buildLoader(folder: string): Promise<string> {
  const outfile = join(folder, 'cold-load.mjs');
  const entry = fileURLToPath(new URL('./cold-load.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
  return outfile;
}

/** From the start of a Node process to the last function's registration. */
async function coldLoad(loader: string, appDir: string): Promise<number> {
  const child = fork(loader, [appDir]);
  const ended = once(child, 'exit').then(() => undefined);
  const message = await Promise.race([once(child, 'message'), ended]);
  child.kill('SIGKILL');
  if (message === undefined) throw new Error(`The app in "${appDir}" did not load.`);
  return loadedSchema.parse(message[0]).milliseconds;
}
