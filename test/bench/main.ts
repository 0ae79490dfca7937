import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../../local/build.ts';
import { bench } from './bench.ts';
import { type Command, help, OptionError, parseOptions } from './options.ts';
import { renderReport } from './report.ts';
import { type BenchResult, mergeResults, readResult } from './result.ts';

// An orderly exit ends azurite and the host, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

await main().catch((error: unknown) => {
  if (!(error instanceof OptionError)) throw error;
  process.stderr.write(`${error.message}\n\n${help}`);
  process.exitCode = 2;
});

async function main(): Promise<void> {
  const command = parseOptions(process.argv.slice(2));
  switch (command.kind) {
    case 'help':
      process.stdout.write(help);
      return;
    case 'report':
      process.stdout.write(`${renderReport(mergeResults(await readAll(command.files)))}\n`);
      return;
    case 'bench':
      await measure(command);
      return;
    default:
      command satisfies never;
  }
}

async function readAll(files: readonly string[]): Promise<BenchResult[]> {
  try {
    return await Promise.all(files.map(readResult));
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error));
  }
}

async function measure({ plan, appDir, isJson }: Command & { readonly kind: 'bench' }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  // The readable part leaves stdout to the figures.
  const say = (line: string) => void (isJson ? process.stderr : process.stdout).write(`${line}\n`);
  const onResult = (result: BenchResult) => void (isJson && process.stdout.write(`${JSON.stringify(result)}\n`));
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
  await ensureBuilt();
  try {
    const result = await bench({ ...plan, appDir, folder, machine, say, onResult });
    say(`\n${renderReport(result)}`);
  } finally {
    clean();
  }
}
