import { z } from 'zod';
import { parseWith } from '../parse.ts';
import { runKinds } from '../paths.ts';

const stepSchema = z.strictObject({
  formatVersion: z.literal(1),
  kind: z.enum(runKinds),
  runId: z.string().min(1).max(64),
  /** Absent in messages of earlier versions, which have one queue. */
  lane: z.enum(['restores', 'backups', 'rest']).optional(),
  phase: z.enum(['scan', 'seal', 'publish', 'reconcile', 'verify', 'finish']),
  pass: z.int().positive(),
  wave: z.int().nonnegative().optional(),
  /** Of the phases that work shard by shard. */
  shard: z.int().min(0).max(1023).optional(),
  /** How many neighbouring shards from that one on are done together; one when absent. */
  span: z.int().min(2).max(1024).optional(),
  /** How often this step was deferred because a service was not available. */
  attempt: z.int().nonnegative(),
});

/** One queue message's worth of a run. */
export type Step = Readonly<z.infer<typeof stepSchema>>;

const MAX_DELAY_SECONDS = 60;

/** How long a step that is deferred for that many times waits: twice as long each time, up to a minute. */
export function delaySecondsOf(attempt: number): number {
  return Math.min(MAX_DELAY_SECONDS, 2 ** attempt);
}

export function formatStep(step: Step): string {
  return JSON.stringify(step);
}

/** Reads what the Functions host hands over: the queue message, already through `JSON.parse`. */
export function parseStep(message: unknown): Step {
  return parseWith(stepSchema, message, {
    code: 'StoredDocumentInvalid',
    what: 'queue message',
    hint: 'It was not written by this version of the app; nothing is lost, the watchdog enqueues what is due.',
  });
}
