import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ApiAnswer } from './api.ts';

export interface RunWatch {
  /** Answers checked so far; a host that could not be reached gave none. */
  readonly answerCount: number;
  /** What was wrong with them, deduplicated. */
  readonly violations: readonly string[];
  stop(): Promise<void>;
}

const count = z.int().nonnegative();
const instant = z.iso.datetime();

const viewSchema = z.object({
  id: z.string(),
  kind: z.literal('restore'),
  status: z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']),
  phase: z.string().min(1),
  pass: z.int().min(1),
  createdAt: instant,
  finishedAt: instant.optional(),
  lastHeartbeatAt: instant.optional(),
  counts: z.object({ total: count, failed: count, pending: count }).catchall(count),
  warnings: z.array(z.string()),
  error: z.object({ code: z.string().min(1), message: z.string().min(1) }).optional(),
});

const refusalSchema = z.object({ error: z.object({ code: z.string().min(1), message: z.string().min(1) }) });

type View = z.infer<typeof viewSchema>;

/**
 * Polls a restore's status and verifies every answer: it is well formed, its counts add up, the total does not change, a
 * known run stays known and a finished one stays finished. `read` throws while no host listens.
 */
export function watchRestore(read: () => Promise<ApiAnswer>): RunWatch {
  const violations = new Set<string>();
  let answerCount = 0;
  let before: View | undefined;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      // No host is listening, or it died while answering.
      const answer = await read().catch(() => undefined);
      if (answer !== undefined) {
        answerCount += 1;
        const view = viewSchema.safeParse(answer.body);
        for (const violation of judge(answer, view, before)) violations.add(violation);
        if (view.success) before = view.data;
      }
      await sleep(50);
    }
  })();
  return {
    get answerCount() {
      return answerCount;
    },
    get violations() {
      return [...violations];
    },
    async stop() {
      isOver = true;
      await watching;
    },
  };
}

function judge(
  { status, headers, body }: ApiAnswer,
  view: z.ZodSafeParseResult<View>,
  before: View | undefined,
): string[] {
  if (status !== 200) {
    const refusal = refusalSchema.safeParse(body);
    if (!refusal.success) return [`status ${status} without an error of ours`];
    const { code } = refusal.data.error;
    if (code === 'Internal') return ['Internal: a fault of ours, the log of the host has it'];
    if (headers.get('x-ms-error-code') !== code) return [`${code}: its header says otherwise`];
    return status === 404 && before !== undefined ? [`${code} for a run that was there before`] : [];
  }
  if (!view.success) return [`malformed: ${z.prettifyError(view.error)}`];
  const { counts, status: now } = view.data;
  const { total, ...outcomes } = counts;
  const { failed, pending } = outcomes;
  const sum = Object.values(outcomes).reduce((sofar, one) => sofar + one, 0);
  const wasOver = before !== undefined && before.status !== 'Running' && before.status !== 'NotStarted';
  return [
    ...(sum === total ? [] : [`counts do not add up: ${JSON.stringify(counts)}`]),
    // What only the target holds is found, shard by shard, before the first write.
    ...(before === undefined ||
    before.counts.total === total ||
    (isLooking(before.phase) && before.counts.total < total)
      ? []
      : [`total went from ${before.counts.total} to ${total}`]),
    ...(wasOver && before.status !== now ? [`${before.status} became ${now}`] : []),
    ...(now === 'Succeeded' && failed + pending > 0 ? [`green with ${failed} failed and ${pending} pending`] : []),
  ];
}

function isLooking(phase: string): boolean {
  return phase === 'Reading' || phase === 'Sorting';
}
