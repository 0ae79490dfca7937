import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../../local/build.ts';
import { runBenchmark } from './benchmark.ts';
import { mergeResults, readResult } from './figures.ts';
import { parseOptions } from './options.ts';
import { renderReport } from './report.ts';

// An orderly exit ends azurite and the host, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { plan, isJson, report } = parseOptions(process.argv.slice(2));
if (report.length > 0) {
  const results = await Promise.all(report.map(readResult));
  process.stdout.write(`${renderReport(mergeResults(results))}\n`);
} else {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // The readable part leaves stdout to the figures.
  const say = (line: string) => void (isJson ? process.stderr : process.stdout).write(`${line}\n`);
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
  await ensureBuilt();
  const result = await runBenchmark({
    ...{ ...plan, folder, machine, say },
    onResult: (found) => void (isJson && process.stdout.write(`${JSON.stringify(found)}\n`)),
  });
  say(`\n${renderReport(result)}`);
}
