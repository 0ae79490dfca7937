import { z } from 'zod';
import { startChild, withCost } from './child.ts';
import { type Measured, rivals } from './measures.ts';

export const jobSchema = z.object({
  contender: z.enum(rivals),
  hubUrl: z.string(),
  connectionString: z.string(),
  storage: z.string(),
  /** PUTs of a restore, one JSON object a line. */
  writesFile: z.string(),
  /** A restore may stop then: only its rate is wanted. */
  maxSeconds: z.number(),
});

export type Job = z.infer<typeof jobSchema>;

const outcomeSchema = z.object({ count: z.number(), storedBytes: z.number().optional(), seconds: z.number() });
/** What a rival did. */
export type Outcome = Omit<z.infer<typeof outcomeSchema>, 'seconds'>;
const failureSchema = z.object({ failure: z.string() });
export type Failure = z.infer<typeof failureSchema>;

/**
 * Runs one rival as a process of its own; its preparation is not part of the figures. Gives a failure when the job is
 * more than its way can do.
 */
export async function runRival(job: Job, hubPid: number): Promise<Measured | Failure> {
  await using child = startChild('./rival.ts');
  await child.ask(job, z.object({ isReady: z.literal(true) }));
  const [outcome, cost] = await withCost(child.pid, hubPid, () =>
    child.ask('go', z.union([outcomeSchema, failureSchema])),
  );
  return 'failure' in outcome ? outcome : { contender: job.contender, ...outcome, ...cost };
}
