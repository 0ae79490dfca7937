import { z } from 'zod';
import { counted, grouped } from '../words.ts';
import { describeDuration, type Finding, risk } from './finding.ts';

const instant = z.iso.datetime();
const count = z.int().nonnegative();

/** What backends have written and a hub has not confirmed. */
export const dualWritesSchema = z.strictObject({
  /** Devices whose newest write waits. */
  waiting: count,
  /** Of which a hub will not take it. */
  refused: count,
  /** Since when the oldest waits. */
  oldestAt: instant.optional(),
});

/** What became of the last clean-up after push services' feedback. */
export const feedbackSchema = z.strictObject({
  /** Why none has ended well, since when. */
  failure: z.strictObject({ message: z.string(), since: instant }).optional(),
  /** The last that ended. */
  last: z
    .strictObject({
      id: z.string(),
      at: instant,
      removed: count,
      due: count,
      bound: count,
      isOverBound: z.boolean(),
      bursts: z.array(z.strictObject({ platform: z.string(), count, most: count, from: instant })),
    })
    .optional(),
});

export interface BothHubs {
  readonly dualWrites?: z.infer<typeof dualWritesSchema> | undefined;
  readonly feedback?: z.infer<typeof feedbackSchema> | undefined;
}

/** The app repairs each minute what has waited for one: a hub is away, or refuses. */
const LAG_PATIENCE_MS = 10 * 60_000;
/** A hub that fails now and then is shown by other findings. */
const FEEDBACK_PATIENCE_MS = 6 * 3_600_000;

/** What keeps the two hubs from holding the same. */
export function judgeBothHubs({ dualWrites, feedback }: BothHubs, nowMs: number): Finding[] {
  return [...judgeLag(dualWrites, nowMs), ...judgeFeedback(feedback, nowMs)];
}

function judgeLag(lag: BothHubs['dualWrites'], nowMs: number): Finding[] {
  if (lag === undefined || lag.waiting + lag.refused === 0) return [];
  const { waiting, refused, oldestAt } = lag;
  const ageMs = oldestAt === undefined ? 0 : nowMs - Date.parse(oldestAt);
  const why = [
    waiting > 0 && ageMs > LAG_PATIENCE_MS
      ? `Written by backends, and waiting for a hub: ${counted(waiting, 'device')}, the oldest for ${describeDuration(ageMs)}: in the other hub they are as they were before.`
      : '',
    refused > 0
      ? `Refused by a hub: ${counted(refused, 'device')}, each tried again a day later. The library's lag names them. What the standby refuses stays there as it was, also after a failover.`
      : '',
  ].filter((sentence) => sentence !== '');
  return why.length === 0 ? [] : [risk('DualWritesLag', why.join(' '))];
}

function judgeFeedback(feedback: BothHubs['feedback'], nowMs: number): Finding[] {
  if (feedback === undefined) return [];
  const { failure, last } = feedback;
  const found: Finding[] = [];
  if (failure !== undefined && nowMs - Date.parse(failure.since) > FEEDBACK_PATIENCE_MS) {
    const message = `What push services say has not been processed since ${failure.since}. ${failure.message} Dead devices stay in the standby.`;
    found.push(risk('FeedbackFailing', message));
  }
  for (const { platform, count: dead, most, from } of last?.bursts ?? []) {
    const message = `Of ${platform}, push services called ${counted(dead, 'device')} dead within the hour from ${from}, more than the ${grouped(most)} that may die in one: look at the push credentials of the hub in use. Until then none of that platform is removed from the standby. If these devices are really gone: notification-hubs-dr clean-up --beyond-bounds`;
    found.push(risk('FeedbackHeld', message));
  }
  if (last?.isOverBound === true) {
    const message = `Push services call ${counted(last.due, 'record')} of the standby dead, more than the ${grouped(last.bound)} that MAX_DELETE_PERCENT lets one clean-up remove: nothing is removed. Look at them: notification-hubs-dr clean-up --dry-run; if they are really gone: notification-hubs-dr clean-up --beyond-bounds`;
    found.push(risk('FeedbackHeld', message));
  }
  return found;
}
