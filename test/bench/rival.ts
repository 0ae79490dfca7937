import { z } from 'zod';
import { listBare, putBare } from './bare-loops.ts';
import { figuresOf, startChild, withCost } from './child.ts';
import type { Reach } from './hubs.ts';
import type { Measured } from './ours.ts';
import { backUpWithSdk, restoreWithSdk } from './sdk-peer.ts';
import { type Job, jobSchema, type Outcome, outcomeSchema } from './workload.ts';

const doneSchema = z.union([outcomeSchema.extend({ seconds: z.number() }), z.object({ failure: z.string() })]);

/** Runs one rival as a process of its own; its preparation is not part of the figures. */
export async function runRival({ env, ...job }: Job & Pick<Reach, 'env'>, hubPid: number): Promise<Measured> {
  const { subject } = job;
  await using child = startChild('./rival.ts', [JSON.stringify(job)], env);
  await child.reply(z.literal('ready'));
  const { done, cost } = await withCost(child.pid, hubPid, () => child.ask('go', doneSchema));
  if ('failure' in done) return { subject, figures: {}, ...done };
  const { count, seconds, storedBytes } = done;
  const stored = storedBytes === undefined ? {} : { bytesPerRow: storedBytes / count };
  return { subject, figures: { ...figuresOf(count, seconds, cost), ...stored } };
}

/** Prepares, says so, runs at the next message, and reports. */
async function race(job: Job): Promise<void> {
  const run = await ways[job.subject](job);
  process.once('message', async () => {
    const startedAt = performance.now();
    const outcome = await run().catch((error: unknown) => {
      // More than fits into one string is a limit of the rival's way, and part of what is found.
      if (error instanceof RangeError) return { failure: error.message };
      throw error;
    });
    process.send?.({ ...outcome, seconds: (performance.now() - startedAt) / 1000 });
  });
  process.send?.('ready');
}

const ways: Readonly<Record<Job['subject'], (job: Job) => Promise<() => Promise<Outcome>>>> = {
  'sdk-backup': backUpWithSdk,
  'bare-list': listBare,
  'sdk-restore-1': (job) => restoreWithSdk(job, 1),
  'sdk-restore-64': (job) => restoreWithSdk(job, 64),
  'bare-put': (job) => putBare(job, 64),
};

if (import.meta.main) {
  process.once('disconnect', () => process.exit(0));
  await race(jobSchema.parse(JSON.parse(process.argv[2] ?? '')));
}
