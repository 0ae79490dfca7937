import { listBare, putBare } from './bare-loops.ts';
import { type Failure, type Job, jobSchema, type Outcome } from './rivals.ts';
import { backUpWithSdk, restoreWithSdk } from './sdk-peer.ts';

// One rival in a process of its own: gets its job as a message, prepares, says so, runs at the next message, and reports.
process.once('message', (message) => void race(jobSchema.parse(message)));
process.once('disconnect', () => process.exit(0));

async function race(job: Job): Promise<void> {
  const run = await prepare(job);
  process.once('message', async () => {
    const startedAt = performance.now();
    const outcome = await run().catch((error: unknown): Failure => {
      // More than fits into one string is a limit of the rival's way, and part of what is found.
      if (error instanceof RangeError) return { failure: error.message };
      throw error;
    });
    process.send?.({ ...outcome, seconds: (performance.now() - startedAt) / 1000 });
  });
  process.send?.({ isReady: true });
}

function prepare(job: Job): Promise<() => Promise<Outcome>> {
  switch (job.contender) {
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
      return job.contender satisfies never;
  }
}
