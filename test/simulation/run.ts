import type { Engine } from './engine.ts';
import { type Outcome, Simulation } from './simulation.ts';

/** Runs one seed from its beginning to its end. */
export function simulate(engine: Engine, seed: number, isTraced = false): Promise<Outcome> {
  return new Simulation(engine, seed, isTraced).run();
}
