import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../local/build.ts';
import { loadEngine } from './engine.ts';
import { runMany, type SeedResult } from './many.ts';
import { plant, plants } from './planted.ts';
import { simulate } from './run.ts';
import { Tally } from './tally.ts';

const USAGE = `Runs the app against simulated hubs, storage, queue and devices, and judges what comes of it.

  npm run simulate -- --seeds N [--from SEED]     many seeds, a worker on each processor
  npm run simulate -- --seed SEED [--trace]       one seed; --trace prints all that happens
  npm run simulate -- --planted NAME [--seeds N]  the app with a known bug, until a seed finds it

  --hash    prints a hash of all traces, whatever they hold: the same seeds give the same one, on each version of Node
  --planted with --seed or --trace runs that one seed of it

Known bugs: ${Object.keys(plants).join(', ')}
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    hash: { type: 'boolean', default: false },
    planted: { type: 'string' },
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
  const hashes = new Map<number, string>();
  const onResult = (result: SeedResult): boolean => {
    tally.add(result);
    hashes.set(result.seed, result.hash);
    return true;
  };
  await runMany({ from, count, dist, isHashed: values.hash, onResult });
  for (const line of tally.lines()) print(line);
  if (values.hash) print(`hash ${hashOfAll(hashes)}`);
  const seconds = (performance.now() - startedAt) / 1000;
  const each = ((1000 * seconds) / count).toFixed(1);
  print(
    `${count} seeds from ${from}: ${tally.failedCount} with violations, ${seconds.toFixed(1)} s, ${each} ms a seed`,
  );
  return values.hash || tally.failedCount === 0;
}

function hashOfAll(hashes: ReadonlyMap<number, string>): string {
  const lines = [...hashes].sort(([a], [b]) => a - b).map(([seed, hash]) => `${seed} ${hash}`);
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Succeeds when the bug is found. */
async function search(dist: string, kind: string, from: number, count: number): Promise<boolean> {
  let found: SeedResult | undefined;
  let tried = 0;
  const onResult = (result: SeedResult): boolean => {
    tried += 1;
    if (result.violations.some((one) => one.kind === kind)) found ??= result;
    return found === undefined;
  };
  await runMany({ from, count, dist, isHashed: false, onResult });
  print(found === undefined ? `not found by ${tried} seeds` : `${kind}: found by seed ${found.seed}, the ${tried}th`);
  return found !== undefined;
}

async function run(dist: string): Promise<boolean> {
  const { planted, seed, seeds = '500' } = values;
  const from = Number(values.from);
  const bug = planted === undefined ? undefined : plants[planted];
  if (planted !== undefined && bug === undefined) throw new Error(`There is no known bug '${planted}'.\n\n${USAGE}`);
  if (bug === undefined) return seed === undefined ? runAll(dist, from, Number(seeds)) : runOne(dist, Number(seed));
  const copy = await plant(dist, bug, `${root}out/planted/${planted?.replaceAll(' ', '-')}`);
  return seed === undefined ? search(copy, bug.kind, from, Number(seeds)) : runOne(copy, Number(seed));
}

if (values.seed === undefined && values.seeds === undefined && values.planted === undefined) print(USAGE);
else {
  await ensureBuilt(root);
  if (!(await run(await realpath(`${root}dist`)))) process.exitCode = 1;
}
