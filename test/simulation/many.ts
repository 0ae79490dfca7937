import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Hunt, Hunted } from './planted/hunt.ts';

const resultSchema = z.object({
  seed: z.number(),
  violations: z.array(z.object({ kind: z.string(), at: z.number(), text: z.string() })),
  sometimes: z.map(z.string(), z.number()),
  eventCount: z.number(),
  hash: z.string(),
});
export type SeedResult = Readonly<z.infer<typeof resultSchema>>;

const huntedSchema: z.ZodType<Hunted> = z.object({
  bug: z.string(),
  seed: z.number().optional(),
  tried: z.number(),
  others: z.map(z.string(), z.number()),
});

interface Work<Task, Result> {
  readonly dist: string;
  /** Of each trace, which costs time. */
  readonly isHashed?: boolean;
  readonly tasks: readonly Task[];
  readonly schema: z.ZodType<Result>;
  readonly onResult: (result: Result) => void;
}

/** A seed leaves much short-lived garbage. */
const resourceLimits = { maxYoungGenerationSizeMb: 64 };

/** Runs many seeds. Rejects when a worker dies. */
export function runMany(
  dist: string,
  { from, count, isHashed }: { readonly from: number; readonly count: number; readonly isHashed: boolean },
  onResult: (result: SeedResult) => void,
): Promise<void> {
  const tasks = Array.from({ length: count }, (_, index) => from + index);
  return spread({ dist, isHashed, tasks, schema: resultSchema, onResult });
}

/** Hunts many known bugs. Rejects likewise. */
export function huntMany(dist: string, tasks: readonly Hunt[], onResult: (result: Hunted) => void): Promise<void> {
  return spread({ dist, tasks, schema: huntedSchema, onResult });
}

/** Over a worker on each processor. */
async function spread<Task, Result>({ dist, isHashed = false, tasks, schema, onResult }: Work<Task, Result>) {
  const left = tasks.values();
  const workers = Array.from({ length: Math.min(availableParallelism(), tasks.length) }, () => {
    return new Worker(new URL('./worker.ts', import.meta.url), { workerData: { dist, isHashed }, resourceLimits });
  });
  const work = async (worker: Worker): Promise<void> => {
    for (const task of left) onResult(schema.parse(await ask(worker, task)));
  };
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, task: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      worker.off('message', answered).off('error', failed);
      settle();
    };
    const answered = (message: unknown): void => end(() => resolve(message));
    const failed = (cause: unknown): void => {
      end(() => reject(new Error(`${JSON.stringify(task)} ended its worker.`, { cause })));
    };
    worker.on('message', answered).on('error', failed);
    worker.postMessage(task);
  });
}
