import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../local/build.ts';
import { loadEngine } from './engine.ts';
import { runMany, type SeedResult } from './many.ts';
import { simulate } from './run.ts';
import { Tally } from './tally.ts';

const USAGE = `Runs the app against simulated hubs, storage, queue and devices, and judges what comes of it.

  npm run simulate -- --seeds N [--from SEED]   many seeds, a worker on each processor
  npm run simulate -- --seed SEED [--trace]     one seed; --trace prints all that happens
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
});

const root = fileURLToPath(new URL('../..', import.meta.url));

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runOne(dist: string, seed: number): Promise<boolean> {
  const { violations, trace, eventCount, milliseconds } = await simulate(await loadEngine(dist), seed, true);
  if (values.trace) for (const line of trace) print(line);
  for (const { kind, at, text } of violations) print(`${new Date(at).toISOString()} ${kind}: ${text}`);
  const hours = (milliseconds / 3_600_000).toFixed(1);
  print(`seed ${seed}: ${violations.length} violations, ${eventCount} events in ${hours} simulated hours`);
  return violations.length === 0;
}

async function runAll(dist: string, from: number, count: number): Promise<boolean> {
  const startedAt = performance.now();
  const tally = new Tally();
  const onResult = (result: SeedResult) => {
    tally.add(result);
    return 'continue' as const;
  };
  await runMany({ from, count, dist, onResult });
  for (const line of tally.lines()) print(line);
  const seconds = (performance.now() - startedAt) / 1000;
  print(
    `${count} seeds from ${from}: ${tally.failedCount} with violations, ${seconds.toFixed(1)} s, ${((1000 * seconds) / count).toFixed(1)} ms a seed`,
  );
  return tally.failedCount === 0;
}

if (values.seed === undefined && values.seeds === undefined) print(USAGE);
else {
  await ensureBuilt(root);
  const dist = await realpath(`${root}dist`);
  const isClean =
    values.seed === undefined
      ? await runAll(dist, Number(values.from), Number(values.seeds))
      : await runOne(dist, Number(values.seed));
  if (!isClean) process.exitCode = 1;
}
