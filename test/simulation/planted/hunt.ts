import { type Engine, loadEngine } from '../engine.ts';
import { type Outcome, simulate } from '../run.ts';
import { isPlantName, plants } from './plants.ts';

/** Seeds to be tried for a known bug. */
export interface Hunt {
  readonly bug: string;
  readonly from: number;
  readonly count: number;
}

export interface Hunted {
  readonly bug: string;
  /** The first that found it. */
  readonly seed?: number | undefined;
  readonly tried: number;
  /** What else it was seen by, and in how many seeds. */
  readonly others: ReadonlyMap<string, number>;
}

/** Runs copies of a build with known bugs. */
export class Hunter {
  readonly #dist: string;
  readonly #engine: Engine;
  /** By seed what the build itself shows. */
  readonly #own = new Map<number, ReadonlySet<string>>();

  constructor(dist: string, engine: Engine) {
    this.#dist = dist;
    this.#engine = engine;
  }

  /** What the build itself shows need not be found out. */
  know({ seed, kinds }: Pick<Outcome, 'seed' | 'kinds'>): void {
    this.#own.set(seed, kinds);
  }

  /** A seed finds the bug if it shows by the bug's kind of violation, and the build itself shows nothing of that kind. */
  async hunt({ bug, from, count }: Hunt): Promise<Hunted> {
    if (!isPlantName(bug)) throw new Error(`There is no known bug '${bug}'.`);
    const { kind } = plants[bug];
    const copy = await loadEngine(this.#dist, bug);
    const others = new Map<string, number>();
    for (let tried = 1; tried <= count; tried += 1) {
      const seed = from + tried - 1;
      const { kinds } = await simulate(copy, seed, { until: kind });
      if (kinds.size === 0) continue;
      const own = await this.#kindsOfBuild(seed);
      if (kinds.has(kind) && !own.has(kind)) return { bug, seed, tried, others };
      for (const other of kinds) if (!own.has(other)) others.set(other, (others.get(other) ?? 0) + 1);
    }
    return { bug, tried: count, others };
  }

  async #kindsOfBuild(seed: number): Promise<ReadonlySet<string>> {
    const known = this.#own.get(seed) ?? (await simulate(this.#engine, seed)).kinds;
    this.#own.set(seed, known);
    return known;
  }
}
