import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { loadEngine } from './engine.ts';
import { Hunter } from './planted/hunt.ts';
import { simulate } from './run.ts';

const orderSchema = z.object({ dist: z.string(), isHashed: z.boolean() });
const taskSchema = z.union([z.number(), z.object({ bug: z.string(), from: z.number(), count: z.number() })]);

/** Runs the seeds it is sent, one after another, or hunts the bugs it is sent. */
const { dist, isHashed } = orderSchema.parse(workerData);
const engine = await loadEngine(dist);
const hunter = new Hunter(dist, engine);

async function runSeed(seed: number) {
  const { trace, violations, sometimes, eventCount } = await simulate(engine, seed, { isTraced: isHashed });
  const hash = isHashed ? createHash('sha256').update(trace.join('\n')).digest('hex') : '';
  return { seed, violations, sometimes, eventCount, hash };
}

parentPort?.on('message', async (message: unknown) => {
  const task = taskSchema.parse(message);
  const result = typeof task === 'number' ? await runSeed(task) : await hunter.hunt(task);
  await setImmediate();
  parentPort?.postMessage(result);
});
