import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../../local/build.ts';
import { check } from './check.ts';
import { checkDual, runDual } from './dual/command.ts';
import { dualPlants } from './dual/plants.ts';
import { loadEngine } from './engine.ts';
import { huntMany, runMany, type SeedResult } from './many.ts';
import type { Hunted } from './planted/hunt.ts';
import { isPlantName, plants } from './planted/plants.ts';
import { checkPlaces, lineOf, storedSeeds, storeSeeds } from './planted/table.ts';
import { simulate } from './run.ts';
import { Tally } from './tally.ts';

const USAGE = `Runs the app against simulated hubs, storage, queue and devices, and judges what comes of it.

  npm run simulate -- --seeds N [--from SEED]     many seeds, a worker on each processor
  npm run simulate -- --seed SEED [--trace]       one seed; --trace prints all that happens
  npm run simulate -- --planted NAME [--seeds N] [--from SEED | --stored]
                                                  a copy of the app with a known bug, until a seed finds it
  npm run simulate -- --check SEED [--seeds N]    what CI runs, in one process, as JSON; SEED is the one to trace
  npm run simulate -- --dual [--seeds N] …        the same of dual writes: RedundantHub in several backends, and the app's
                                                  repair of what it leaves; 1,000 seeds in one process without a number

  --hash            prints a hash of all traces, whatever they hold: the same seeds give the same one, on each Node
  --planted all     each known bug in turn
  --stored          from the seed on that is stored for it
  --store           stores the seeds found
  --planted with --seed or --trace runs that one seed of it

Known bugs:
${list(plants)}

Of dual writes, with --dual:
${list(dualPlants)}
`;

function list(bugs: object): string {
  return Object.keys(bugs)
    .map((name) => `  ${name}`)
    .join('\n');
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    hash: { type: 'boolean', default: false },
    check: { type: 'string' },
    dual: { type: 'boolean', default: false },
    planted: { type: 'string' },
    stored: { type: 'boolean', default: false },
    store: { type: 'boolean', default: false },
  },
});

const root = fileURLToPath(new URL('../..', import.meta.url));

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runOne(dist: string, seed: number, bug: string | undefined): Promise<boolean> {
  const { violations, trace, eventCount, milliseconds } = await simulate(await loadEngine(dist, bug), seed, {
    isTraced: true,
  });
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
  const onResult = (result: SeedResult): void => {
    tally.add(result);
    hashes.set(result.seed, result.hash);
  };
  await runMany(dist, { from, count, isHashed: values.hash }, onResult);
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

/** Succeeds when each of the bugs is found. */
async function hunt(dist: string, bugs: readonly string[], count: number): Promise<boolean> {
  const startedAt = performance.now();
  await checkPlaces(dist);
  const stored = values.stored ? await storedSeeds() : {};
  const tasks = bugs.map((bug) => ({ bug, from: stored[bug] ?? Number(values.from), count }));
  const all: Hunted[] = [];
  await huntMany(dist, tasks, (hunted) => {
    all.push(hunted);
    print(lineOf(hunted));
  });
  if (values.store) await storeSeeds(all);
  const foundCount = all.filter(({ seed }) => seed !== undefined).length;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  print(`${foundCount} of ${all.length} known bugs found, ${seconds} s`);
  return foundCount === all.length;
}

async function run(dist: string): Promise<boolean> {
  if (values.dual && values.check !== undefined) {
    print(JSON.stringify(await checkDual(dist, Number(values.seeds ?? 50))));
    return true;
  }
  if (values.dual) return runDual(dist, values, print);
  if (values.check !== undefined) {
    print(JSON.stringify(await check(dist, Number(values.seeds ?? 200), Number(values.check))));
    return true;
  }
  const { planted, seed, seeds = '500', from } = values;
  if (planted !== undefined && planted !== 'all' && !isPlantName(planted))
    throw new Error(`There is no known bug '${planted}'.\n\n${USAGE}`);
  if (seed !== undefined) return runOne(dist, Number(seed), planted);
  if (planted === undefined) return runAll(dist, Number(from), Number(seeds));
  return hunt(dist, planted === 'all' ? Object.keys(plants) : [planted], Number(seeds));
}

const { seed, seeds, planted, check: checked, dual } = values;
if (!dual && (seed ?? seeds ?? planted ?? checked) === undefined) print(USAGE);
else {
  await ensureBuilt(root);
  if (!(await run(await realpath(`${root}dist`)))) process.exitCode = 1;
}
