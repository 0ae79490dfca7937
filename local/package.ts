import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measurePackage } from './package-cost.ts';

/** `npm run package`: builds what is deployed, and measures its size and its cold load beside the unbundled app's. */
const folder = fileURLToPath(new URL('../out/package', import.meta.url));
const { fileCount, bytes, ...times } = await measurePackage(folder);
const [bundledMs, unbundledMs] = [median(times.bundledMs), median(times.unbundledMs)];
process.stdout.write(`${relative(process.cwd(), folder)}: ${fileCount} files, ${(bytes / 1e6).toFixed(2)} MB unpacked
cold load, median of ${times.bundledMs.length}: ${Math.round(bundledMs)} ms; unbundled ${Math.round(unbundledMs)} ms (${(bundledMs / unbundledMs).toFixed(2)} of it)
`);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
