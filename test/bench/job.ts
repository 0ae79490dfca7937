import { z } from 'zod';
import { rivals } from './sample.ts';

/** What a rival is asked to do. */
export const jobSchema = z.object({
  contender: z.enum(rivals),
  hubUrl: z.string(),
  connectionString: z.string(),
  storage: z.string(),
  /** PUTs of a restore, one JSON object a line. */
  writesFile: z.string(),
  /** A restore may stop then: its rate is what is asked for. */
  maxSeconds: z.number(),
});

export type Job = z.infer<typeof jobSchema>;

/** What a rival did. */
export interface Deed {
  readonly count: number;
  readonly storedBytes?: number;
}
