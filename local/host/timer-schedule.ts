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

/**
 * Parses an NCRONTAB expression of six fields (or five, without seconds) as the real host's library does. Day and
 * weekday must both match; a range that runs backward is turned round, and a name may be cut short.
 */
export function parseSchedule(expression: string, where: string): Schedule {
  // Blanks alone divide fields: a tab makes the whole invalid.
  const fields = expression.split(' ').filter((field) => field !== '');
  if (fields.length !== 5 && fields.length !== 6) throw invalid(expression, where);
  const plain = bounds.slice(-fields.length).map((bound, index) => plainField(fields[index] ?? '', bound));
  if (plain.includes(undefined)) throw invalid(expression, where);
  let cron: Cron;
  try {
    cron = new Cron(plain.join(' '), { timezone: 'UTC', domAndDow: true, sloppyRanges: true, paused: true });
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

interface Bound {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = 'january february march april may june july august september october november december';
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday';
const bounds: readonly Bound[] = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: MONTHS.split(' ') },
  { least: 0, most: 6, names: WEEKDAYS.split(' ') },
];

/** In numbers, for a library that reads more and other things than NCRONTAB; `undefined` for what that refuses. */
function plainField(text: string, bound: Bound): string | undefined {
  const items = text.split(',').map((item) => plainItem(item, bound));
  return items.includes(undefined) ? undefined : items.join(',');
}

function plainItem(item: string, bound: Bound): string | undefined {
  const { start = '', end, every } = /^(?<start>\*|\w+)(?:-(?<end>\w+))?(?:\/(?<every>\d+))?$/.exec(item)?.groups ?? {};
  if (start === '*' && end !== undefined) return undefined;
  const from = start === '*' ? bound.least : numberOf(start, bound);
  const openEnd = start === '*' || every !== undefined ? bound.most : from;
  const to = end === undefined ? openEnd : numberOf(end, bound);
  if (from === undefined || to === undefined) return undefined;
  const [low, high] = from <= to ? [from, to] : [to, from];
  const step = Math.max(1, Number(every ?? 1));
  if (start === '*' && step === 1) return '*';
  return low + step > high ? `${low}${step === 1 && low < high ? `,${high}` : ''}` : `${low}-${high}/${step}`;
}

function numberOf(text: string, { least, most, names = [] }: Bound): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= most) return value;
  const named = names.findIndex((name) => name.startsWith(text.toLowerCase()));
  return named < 0 ? undefined : named + least;
}

function invalid(expression: string, where: string, cause?: unknown): Error {
  return new Error(`${where}: schedule "${expression}" is not an NCRONTAB expression such as "0 */5 * * * *".`, {
    cause,
  });
}
