import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';

const resultSchema = z.object({
  seed: z.number(),
  violations: z.array(z.object({ kind: z.string(), at: z.number(), text: z.string() })),
  sometimes: z.map(z.string(), z.number()),
  eventCount: z.number(),
  hash: z.string(),
});
export type SeedResult = Readonly<z.infer<typeof resultSchema>>;

export interface Many {
  readonly from: number;
  readonly count: number;
  readonly dist: string;
  /** Of each trace, which costs time. */
  readonly isHashed: boolean;
  /** False ends it early. */
  readonly onResult: (result: SeedResult) => boolean;
}

/** A seed leaves much short-lived garbage. */
const resourceLimits = { maxYoungGenerationSizeMb: 64 };

/** Runs many seeds, a worker on each processor. Rejects when a worker dies. */
export async function runMany({ from, count, dist, isHashed, onResult }: Many): Promise<void> {
  let next = from;
  let isWanted = true;
  const workers = Array.from({ length: Math.min(availableParallelism(), count) }, () => {
    return new Worker(new URL('./worker.ts', import.meta.url), { workerData: { dist, isHashed }, resourceLimits });
  });
  const work = async (worker: Worker): Promise<void> => {
    while (isWanted && next < from + count) {
      const seed = next;
      next += 1;
      if (!onResult(await ask(worker, seed))) isWanted = false;
    }
  };
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, seed: number): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      worker.off('message', answered).off('error', failed);
      settle();
    };
    const answered = (message: unknown): void => end(() => resolve(resultSchema.parse(message)));
    const failed = (cause: unknown): void => end(() => reject(new Error(`Seed ${seed} ended its worker.`, { cause })));
    worker.on('message', answered).on('error', failed);
    worker.postMessage(seed);
  });
}
