import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { reply } from './hub-process.ts';
import { readCost } from './process-cost.ts';
import type { Job } from './rival.ts';
import type { Sample } from './sample.ts';

const deedSchema = z.object({ count: z.number(), storedBytes: z.number().optional(), seconds: z.number() });

/** Runs one rival as a process; its own making ready is not in the seconds and not in the CPU time. */
export async function runRival(job: Job): Promise<Omit<Sample, 'devices' | 'latencyMs'>> {
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
    const before = await readCost(pid);
    const answer = reply(child);
    child.send('go');
    const { count, seconds, storedBytes } = deedSchema.parse(await answer);
    const after = await readCost(pid);
    return {
      contender: job.contender,
      count,
      seconds,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      peakBytes: after.peakBytes,
      ...(storedBytes === undefined ? {} : { storedBytes }),
    };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
