import { loadEngine } from './engine.ts';
import { Hunter } from './planted/hunt.ts';
import { plants } from './planted/plants.ts';
import { checkPlaces, lineOf, storedSeeds } from './planted/table.ts';
import { simulate } from './run.ts';
import { Tally } from './tally.ts';

/** For a known bug, from its stored seed on. */
const TRIES = 100;

/**
 * What CI runs: seeds, each known bug, and a trace at the end. All in one process, which compiles the app once: workers
 * are faster and cost more.
 */
export async function check(dist: string, seedCount: number, tracedSeed: number) {
  const engine = await loadEngine(dist);
  const hunter = new Hunter(dist, engine);
  const tally = new Tally();
  for (let seed = 1; seed <= seedCount; seed += 1) {
    const outcome = await simulate(engine, seed);
    tally.add(outcome);
    hunter.know(outcome);
  }
  await checkPlaces(dist);
  const stored = await storedSeeds();
  const planted: string[] = [];
  for (const bug of Object.keys(plants)) {
    planted.push(lineOf(await hunter.hunt({ bug, from: stored[bug] ?? 1, count: TRIES })));
  }
  const { trace } = await simulate(engine, tracedSeed, { isTraced: true });
  return { found: tally.lines(), planted, trace: trace.join('\n') };
}
