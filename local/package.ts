import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions } from './options.ts';

const help = `Builds what is deployed, out/notification-hubs-dr-VERSION.zip: byte for byte the same from the same commit.

  npm run package -- [options]

  --out DIR   folder to put it into (default: out)
  --measure   also its cold load, beside that of the unbundled app
  --help
`;

const { measure, out } = readOptions(help, {
  out: { type: 'string', default: fileURLToPath(new URL('../out', import.meta.url)) },
  measure: { type: 'boolean', default: false },
});
const { buildPackage } = await import('./build-package.ts');
const { zipFolder } = await import('./zip.ts');

const built = await buildPackage(join(out, 'package'));
const bytes = await zipFolder(built.folder);
const file = join(out, `notification-hubs-dr-${built.version}.zip`);
await writeFile(file, bytes);
const path = relative(process.cwd(), file);
process.stdout.write(`${path}
  ${(bytes.length / 1e6).toFixed(2)} MB; ${built.fileCount} files, ${(built.bytes / 1e6).toFixed(2)} MB unpacked
  SHA-256 ${createHash('sha256').update(bytes).digest('hex')}
Deploy it:
  az functionapp deployment source config-zip --resource-group "$GROUP" --name "$APP" --src ${path}
`);
if (measure) await printColdLoads(built.folder);

async function printColdLoads(folder: string): Promise<void> {
  const { measureColdLoads } = await import('./package-cost.ts');
  const times = await measureColdLoads(folder);
  const [bundledMs, unbundledMs] = [median(times.bundledMs), median(times.unbundledMs)];
  process.stdout.write(
    `Cold load, median of ${times.bundledMs.length}: ${Math.round(bundledMs)} ms; unbundled ${Math.round(unbundledMs)} ms (${(bundledMs / unbundledMs).toFixed(2)} of it)\n`,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
