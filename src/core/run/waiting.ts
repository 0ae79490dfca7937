import { z } from 'zod';
import { isLiving, type LiveStep } from './live.ts';

export const waitingSchema = z.strictObject({
  /** `{namespace}/{hub}`, or `storage`. */
  on: z.string(),
  code: z.string(),
  /** What was last seen, in plain words. */
  cause: z.string(),
  since: z.string(),
  nextTryAt: z.iso.datetime(),
});

/** What a run waits for. */
export type Waiting = Readonly<z.infer<typeof waitingSchema>>;

/** A run that saved something so lately moves: a step that tries again has been answered. */
const MOVES_MS = 10_000;

/**
 * A run waits when all of its steps do, or try again just now after they did. `savedMsAgo`: when it last saved, by the
 * storage's clock.
 */
export function waitingOf(
  live: readonly LiveStep[],
  nowMs: number,
  savedMsAgo = Number.POSITIVE_INFINITY,
): Waiting | undefined {
  const living = live.filter(isLiving);
  if (savedMsAgo < MOVES_MS && living.some(({ kind }) => kind === 'working')) return undefined;
  const found = living.flatMap((step) => (step.wait === undefined ? [] : [{ ...step.wait, tryInMs: tryInMs(step) }]));
  const [first] = found.toSorted((a, b) => (a.since < b.since ? -1 : 1));
  if (first === undefined || found.length < living.length) return undefined;
  const { on, code, cause, since } = first;
  const nextMs = Math.min(...found.map((one) => one.tryInMs));
  return { on, code, cause, since, nextTryAt: new Date(nowMs + Math.max(0, nextMs)).toISOString() };
}

function tryInMs(step: LiveStep): number {
  return step.kind === 'waiting' ? step.wait.delayMs - step.ageMs : 0;
}
