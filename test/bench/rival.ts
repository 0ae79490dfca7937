import { z } from 'zod';
import { listBare, putBare } from './bare-loops.ts';
import { figuresOf, startChild, withCost } from './child.ts';
import type { Measured } from './ours.ts';
import { backUpWithSdk, restoreWithSdk } from './sdk-peer.ts';
import { type Job, jobSchema, type Outcome } from './workload.ts';

const outcomeSchema = z.object({ count: z.number(), seconds: z.number(), storedBytes: z.number().optional() });
const failureSchema = z.object({ failure: z.string() });

/** Runs one rival as a process of its own; its preparation is not part of the figures. */
export async function runRival(job: Job, hubPid: number): Promise<Measured> {
  const { subject } = job;
  await using child = startChild('./rival.ts', [JSON.stringify(job)]);
  await child.reply(z.literal('ready'));
  const { done, cost } = await withCost(child.pid, hubPid, () =>
    child.ask('go', z.union([outcomeSchema, failureSchema])),
  );
  if ('failure' in done) return { subject, figures: {}, ...done };
  const { count, seconds, storedBytes } = done;
  const stored = storedBytes === undefined ? {} : { bytesPerRow: storedBytes / count };
  return { subject, figures: { ...figuresOf(count, seconds, cost), ...stored } };
}

/** Prepares, says so, runs at the next message, and reports. */
async function race(job: Job): Promise<void> {
  const run = await prepare(job);
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

function prepare(job: Job): Promise<() => Promise<Outcome>> {
  switch (job.subject) {
    case 'sdk-backup':
      return backUpWithSdk(job);
    case 'bare-list':
      return listBare(job);
    case 'sdk-restore-1':
      return restoreWithSdk(job, 1);
    case 'sdk-restore-64':
      return restoreWithSdk(job, 64);
    case 'bare-put':
      return putBare(job, 64);
    default:
      return job.subject satisfies never;
  }
}

if (import.meta.main) {
  process.once('disconnect', () => process.exit(0));
  await race(jobSchema.parse(JSON.parse(process.argv[2] ?? '')));
}
