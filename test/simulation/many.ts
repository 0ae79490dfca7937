import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';

const resultSchema = z.object({
  seed: z.number(),
  violations: z.array(z.object({ kind: z.string(), at: z.number(), text: z.string() })),
  sometimes: z.map(z.string(), z.number()),
  eventCount: z.number(),
});
export type SeedResult = Readonly<z.infer<typeof resultSchema>>;

export interface Many {
  readonly from: number;
  readonly count: number;
  readonly dist: string;
  readonly onResult: (result: SeedResult) => 'continue' | 'stop';
}

/** Runs many seeds, a worker on each processor. Rejects when a seed does not end at all. */
export function runMany({ from, count, dist, onResult }: Many): Promise<void> {
  const end = from + count;
  let next = from;
  let open = 0;
  let isStopped = false;
  const workers = Array.from(
    { length: Math.min(availableParallelism(), count) },
    () => new Worker(new URL('./worker.ts', import.meta.url), { workerData: { dist } }),
  );
  const ended = new Promise<void>((resolve, reject) => {
    const give = (worker: Worker): void => {
      if (next >= end || isStopped) return open === 0 ? resolve() : undefined;
      open += 1;
      worker.postMessage(next);
      next += 1;
    };
    for (const worker of workers) {
      worker.on('message', (message: unknown) => {
        open -= 1;
        if (onResult(resultSchema.parse(message)) === 'stop') isStopped = true;
        give(worker);
      });
      worker.on('error', reject);
      give(worker);
    }
  });
  return ended.finally(() => Promise.all(workers.map((worker) => worker.terminate())));
}
