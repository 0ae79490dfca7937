import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { loadEngine } from './engine.ts';
import { simulate } from './run.ts';

const orderSchema = z.object({ dist: z.string() });
const seedSchema = z.number();

/** Runs the seeds it is sent, one after another. */
const engine = await loadEngine(orderSchema.parse(workerData).dist);
parentPort?.on('message', async (message: unknown) => {
  const { seed, violations, sometimes, eventCount } = await simulate(engine, seedSchema.parse(message));
  await setImmediate();
  parentPort?.postMessage({ seed, violations, sometimes, eventCount });
});
