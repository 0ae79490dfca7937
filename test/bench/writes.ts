import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** One PUT of a restore into an empty hub, with the very body the app sends. */
const writeSchema = z.object({ kind: z.enum(['registration', 'installation']), id: z.string(), body: z.string() });
export type RestoreWrite = z.infer<typeof writeSchema>;

/** The PUTs of a restore, a line at a time: the file is larger than memory should be. */
export async function* readWrites(path: string): AsyncGenerator<RestoreWrite> {
  for await (const line of createInterface({ input: createReadStream(path) }))
    yield writeSchema.parse(JSON.parse(line));
}

/** Runs `work` on each item, `concurrency` at a time, until the items or the time are used up; gives their number. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  { concurrency, maxSeconds }: { readonly concurrency: number; readonly maxSeconds: number },
  work: (item: T) => Promise<unknown>,
): Promise<number> {
  const endAt = performance.now() + maxSeconds * 1000;
  const rest = items.values();
  let count = 0;
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      await work(item);
      count += 1;
      if (performance.now() >= endAt) return;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return count;
}
