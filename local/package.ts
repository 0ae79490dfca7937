import { fork } from 'node:child_process';
import { once } from 'node:events';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildPackage } from './build-package.ts';

/** `npm run package`: builds what is deployed, and measures its size and its cold load beside the unbundled app's. */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = fileURLToPath(new URL('../out/package', import.meta.url));
const LOADS = 9;

const loadedSchema = z.object({ milliseconds: z.number(), functionNames: z.array(z.string()).min(1) });

const built = await buildPackage(folder);
const times: Record<'bundled' | 'unbundled', number[]> = { bundled: [], unbundled: [] };
for (let load = 0; load < LOADS; load += 1) {
  times.bundled.push(await coldLoad(folder));
  times.unbundled.push(await coldLoad(root));
}
const [bundledMs, unbundledMs] = [median(times.bundled), median(times.unbundled)];
process.stdout.write(`${relative(process.cwd(), folder)}: ${built.fileCount} files, ${(built.bytes / 1e6).toFixed(2)} MB unpacked
cold load, median of ${LOADS}: ${Math.round(bundledMs)} ms; unbundled ${Math.round(unbundledMs)} ms (${(bundledMs / unbundledMs).toFixed(2)} of it)
`);

/** From the start of a Node process to the last function's registration. */
async function coldLoad(appDir: string): Promise<number> {
  const child = fork(fileURLToPath(new URL('./cold-load.ts', import.meta.url)), [appDir]);
  const [message]: unknown[] = await once(child, 'message');
  child.kill('SIGKILL');
  return loadedSchema.parse(message).milliseconds;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
