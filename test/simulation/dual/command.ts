import { createHash } from 'node:crypto';
import { Tally } from '../tally.ts';
import { type DualEngine, loadDualEngine } from './engine.ts';
import { dualPlants, isDualPlantName } from './plants.ts';
import { simulateDual } from './run.ts';

const START_SEED = 1;

interface Options {
  readonly seed?: string | undefined;
  readonly seeds?: string | undefined;
  readonly from: string;
  readonly planted?: string | undefined;
  readonly stored: boolean;
  readonly trace: boolean;
  readonly hash: boolean;
}

type Print = (line: string) => void;

/** `npm run simulate -- --dual …`: as its usage says, of dual writes. True: nothing was found that should not be. */
export async function runDual(dist: string, options: Options, print: Print): Promise<boolean> {
  const { seed, seeds, from, planted, stored } = options;
  if (planted !== undefined && planted !== 'all' && !isDualPlantName(planted)) {
    throw new Error(`There is no known bug '${planted}' of dual writes. Known: ${Object.keys(dualPlants).join('; ')}`);
  }
  if (seed !== undefined) return runOne(await loadDualEngine(dist, planted), Number(seed), options.trace, print);
  if (planted === undefined) {
    return runAll(await loadDualEngine(dist), Number(from), Number(seeds ?? 1000), options.hash, print);
  }
  const bugs = Object.keys(dualPlants).filter((bug) => planted === 'all' || bug === planted);
  let isEachFound = true;
  for (const bug of bugs) {
    const hunted = await hunt(dist, bug, stored ? undefined : Number(from), Number(seeds ?? 500));
    print(hunted.line);
    isEachFound &&= hunted.isFound;
  }
  return isEachFound;
}

/** What CI runs, in one process: seeds, each known bug from its stored seed on, and a trace's hash twice. */
export async function checkDual(dist: string, count: number) {
  const engine = await loadDualEngine(dist);
  const tally = new Tally();
  for (let seed = START_SEED; seed < START_SEED + count; seed += 1) tally.add(await simulateDual(engine, seed));
  const planted: string[] = [];
  for (const bug of Object.keys(dualPlants)) planted.push((await hunt(dist, bug, undefined, 100)).line);
  const hashes = [await traceHash(engine, START_SEED), await traceHash(engine, START_SEED)];
  return { found: tally.lines(), planted, hashes };
}

async function runOne(engine: DualEngine, seed: number, isPrinted: boolean, print: Print): Promise<boolean> {
  const { violations, trace, eventCount, milliseconds } = await simulateDual(engine, seed, { isTraced: isPrinted });
  for (const line of trace) print(line);
  for (const { kind, at, text } of violations) print(`${new Date(at).toISOString()} ${kind}: ${text}`);
  const minutes = (milliseconds / 60_000).toFixed(0);
  print(`seed ${seed}: ${violations.length} violations, ${eventCount} events in ${minutes} simulated minutes`);
  return violations.length === 0;
}

async function runAll(engine: DualEngine, from: number, count: number, isHashed: boolean, print: Print) {
  const startedAt = performance.now();
  const tally = new Tally();
  const hash = createHash('sha256');
  for (let seed = from; seed < from + count; seed += 1) {
    const outcome = await simulateDual(engine, seed, { isTraced: isHashed });
    tally.add(outcome);
    hash.update(`${seed} ${hashOf(outcome.trace)}\n`);
  }
  for (const line of tally.lines()) print(line);
  if (isHashed) print(`hash ${hash.digest('hex')}`);
  const seconds = (performance.now() - startedAt) / 1000;
  const each = ((1000 * seconds) / count).toFixed(1);
  print(
    `${count} seeds of dual writes from ${from}: ${tally.failedCount} with violations, ${seconds.toFixed(1)} s, ${each} ms a seed`,
  );
  return isHashed || tally.failedCount === 0;
}

/** `from`: absent, it is the bug's stored seed. */
async function hunt(dist: string, bug: string, from: number | undefined, count: number) {
  if (!isDualPlantName(bug)) throw new Error(`There is no known bug '${bug}'.`);
  const { kind, seed: stored } = dualPlants[bug];
  const [engine, copy] = [await loadDualEngine(dist), await loadDualEngine(dist, bug)];
  const first = from ?? stored;
  for (let seed = first; seed < first + count; seed += 1) {
    const isFound = (await simulateDual(copy, seed, { until: kind })).kinds.has(kind);
    if (!isFound || (await simulateDual(engine, seed)).kinds.has(kind)) continue;
    return { isFound, line: `${bug}  ${kind}  found by seed ${seed}, the ${seed - first + 1}th` };
  }
  return { isFound: false, line: `${bug}  ${kind}  NOT FOUND in ${count} seeds` };
}

async function traceHash(engine: DualEngine, seed: number): Promise<string> {
  return hashOf((await simulateDual(engine, seed, { isTraced: true })).trace);
}

function hashOf(trace: readonly string[]): string {
  return createHash('sha256').update(trace.join('\n')).digest('hex');
}
