import { listBare, putBare } from './bare-loops.ts';
import { type Deed, type Job, jobSchema } from './job.ts';
import { backUpWithSdk, restoreWithSdk } from './sdk-peer.ts';

/**
 * One rival in a process of its own: gets its job as a message, makes ready what is not part of the job, says so, runs
 * when told to, and gives what it did.
 */
process.once('message', (message) => void race(jobSchema.parse(message)));
process.once('disconnect', () => process.exit(0));

async function race(job: Job): Promise<void> {
  const run = await prepare(job);
  process.once('message', () => {
    const startedAt = performance.now();
    run().then(
      (deed) => process.send?.({ ...deed, seconds: (performance.now() - startedAt) / 1000 }),
      (error: unknown) => {
        // More than fits into one string is a limit of the rival's way, and part of what is found; all else is a fault.
        if (!(error instanceof RangeError)) throw error;
        process.send?.({ failure: error.message });
      },
    );
  });
  process.send?.({ ready: true });
}

function prepare(job: Job): Promise<() => Promise<Deed>> {
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
