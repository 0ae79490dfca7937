import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { loadEngine } from './engine.ts';
import { simulate } from './run.ts';

const orderSchema = z.object({ dist: z.string(), isHashed: z.boolean() });
const seedSchema = z.number();

/** Runs the seeds it is sent, one after another. */
const { dist, isHashed } = orderSchema.parse(workerData);
const engine = await loadEngine(dist);
parentPort?.on('message', async (message: unknown) => {
  const { trace, seed, violations, sometimes, eventCount } = await simulate(
    engine,
    seedSchema.parse(message),
    isHashed,
  );
  const hash = isHashed ? createHash('sha256').update(trace.join('\n')).digest('hex') : '';
  await setImmediate();
  parentPort?.postMessage({ seed, violations, sometimes, eventCount, hash });
});
