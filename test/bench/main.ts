import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../../local/build.ts';
import { runBenchmark } from './benchmark.ts';
import { mergeResults, readResult } from './measures.ts';
import { type BenchCommand, parseOptions, refuse } from './options.ts';
import { renderReport } from './report.ts';
import { runTool } from './tool.ts';

// An orderly exit ends azurite and the host, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

await runTool(async () => {
  const command = parseOptions(process.argv.slice(2));
  if (command.report.length === 0) return measure(command);
  const results = await Promise.all(command.report.map(readResult)).catch(refuse);
  process.stdout.write(`${renderReport(mergeResults(results))}\n`);
});

async function measure({ plan, appDir, isJson }: BenchCommand): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // The readable part leaves stdout to the figures.
  const say = (line: string) => void (isJson ? process.stderr : process.stdout).write(`${line}\n`);
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
  await ensureBuilt();
  const result = await runBenchmark({
    ...{ ...plan, appDir, folder, machine, say },
    onResult: (found) => void (isJson && process.stdout.write(`${JSON.stringify(found)}\n`)),
  });
  say(`\n${renderReport(result)}`);
}
