import { Cron } from 'croner';

/** When a timer last ran and is next due; what the schedule monitor keeps in storage and the function is given. */
export interface ScheduleStatus {
  readonly last: Date;
  readonly next: Date;
  readonly lastUpdated: Date;
}

export interface Schedule {
  readonly expression: string;
  /** Too frequent to be worth storing: occurrences missed while no host ran are not made up for. */
  readonly isSubMinute: boolean;
  /** The first occurrence strictly after `after`, in UTC. */
  next(after: Date): Date;
}

/** .NET's `default(DateTime)`, which stands for "never" in a stored status. */
export const never = new Date('0001-01-01T00:00:00Z');

/** Parses an NCRONTAB expression of six fields (or five, without seconds). Day and weekday must both match. */
export function parseSchedule(expression: string, where: string): Schedule {
  const fields = expression.trim().split(/\s+/);
  // Croner knows more than NCRONTAB: L, W, # and ?.
  const isPlain = fields.every((field) => /^[\d*,/\-a-z]+$/i.test(field) && !/(?<![a-z])\d*[lw](?![a-z])/i.test(field));
  if (!isPlain || (fields.length !== 5 && fields.length !== 6)) throw invalid(expression, where);
  let cron: Cron;
  try {
    cron = new Cron(fields.join(' '), { timezone: 'UTC', domAndDow: true, sloppyRanges: true, paused: true });
  } catch (cause) {
    throw invalid(expression, where, cause);
  }
  const next = (after: Date): Date => {
    const occurrence = cron.nextRun(after);
    if (occurrence === null) throw invalid(expression, where);
    return occurrence;
  };
  const first = next(new Date());
  const isSubMinute =
    fields.length === 6 &&
    fields.slice(1).every((field) => field === '*') &&
    next(first).getTime() - first.getTime() < 60_000;
  return { expression, isSubMinute, next };
}

/**
 * The status a host starts from and whether an occurrence was missed meanwhile: the real host's
 * `ScheduleMonitor.CheckPastDueAsync`. A schedule that was changed since is counted from now, not past due.
 */
export function checkPastDue(
  schedule: Schedule,
  stored: ScheduleStatus | undefined,
  now: Date,
): { readonly status: ScheduleStatus; readonly isPastDue: boolean } {
  if (stored === undefined) {
    return { status: { last: never, next: schedule.next(now), lastUpdated: now }, isPastDue: false };
  }
  const isKnown = (date: Date) => date.getTime() !== never.getTime();
  const countedFrom = [stored.last, stored.lastUpdated].find(isKnown) ?? now;
  const expected = schedule.next(countedFrom);
  if (stored.next.getTime() === expected.getTime()) return { status: stored, isPastDue: now > stored.next };
  const isOver = now > expected;
  const status = {
    last: never,
    next: isOver ? schedule.next(now) : expected,
    lastUpdated: isOver ? now : countedFrom,
  };
  return { status, isPastDue: false };
}

function invalid(expression: string, where: string, cause?: unknown): Error {
  return new Error(`${where}: schedule "${expression}" is not an NCRONTAB expression such as "0 */5 * * * *".`, {
    cause,
  });
}
