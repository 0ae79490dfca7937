import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { reply } from './hub-process.ts';
import type { Job } from './job.ts';
import { readCost } from './process-cost.ts';
import type { Measured } from './sample.ts';

const deedSchema = z.union([
  z.object({ failure: z.string() }),
  z.object({ count: z.number(), storedBytes: z.number().optional(), seconds: z.number() }),
]);

/**
 * Runs one rival as a process; its own making ready is not in the seconds and not in the CPU time. Gives a failure when
 * there is more than its way can do.
 */
export async function runRival(job: Job, hubPid: number): Promise<Measured | { readonly failure: string }> {
  // What a user's machine would give it: at a million rows the peer needs more than Node's usual heap.
  const child = fork(fileURLToPath(new URL('./rival.ts', import.meta.url)), [], {
    execArgv: ['--max-old-space-size=8192'],
  });
  const exited = once(child, 'exit');
  try {
    const ready = reply(child);
    child.send(job);
    await ready;
    const pid = child.pid ?? 0;
    const before = await Promise.all([pid, hubPid].map(readCost));
    const answer = reply(child);
    child.send('go');
    const deed = deedSchema.parse(await answer);
    const after = await Promise.all([pid, hubPid].map(readCost));
    if ('failure' in deed) return deed;
    const [cpuSeconds = 0, serverCpuSeconds = 0] = after.map(
      (now, at) => now.cpuSeconds - (before[at]?.cpuSeconds ?? 0),
    );
    return { contender: job.contender, ...deed, cpuSeconds, serverCpuSeconds, peakBytes: after[0]?.peakBytes ?? 0 };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
