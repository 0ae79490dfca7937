/**
 * NCRONTAB as the Functions host's library reads it: second, minute, hour, day, month, weekday; day and weekday must
 * both match. Where that library is lax (a range turned round, a step longer than the field) this one refuses.
 */

/** What is wrong with a schedule, as the end of a sentence that begins with the setting's name; `undefined` when nothing is. */
export function scheduleFault(schedule: string): string | undefined {
  const parts = schedule.trim().split(/\s+/);
  if (parts.length === 1 && isTimeSpan.test(schedule.trim())) {
    return `is a time span, which timers take on an App Service plan only; ${accepted}`;
  }
  if (parts.length !== fields.length) return `must have six fields, not ${parts.length}; ${accepted}`;
  const wrong = fields.find((field, index) => readField(parts[index] ?? '', field) === undefined);
  if (wrong !== undefined) {
    const names = wrong.names === undefined ? '' : ` or ${wrong.names[0]}-${wrong.names.at(-1)}`;
    return `has a ${wrong.name} that cannot be read: write *, ${wrong.least}-${wrong.most}${names}, lists, ranges or steps`;
  }
  const parsed = parseSchedule(schedule);
  return CALENDAR.some((day) => firesOn(parsed, day)) ? undefined : 'names a day that no year has';
}

/**
 * The longest time between two firings, in milliseconds: nights, week-ends and short months included. In UTC; with
 * `WEBSITE_TIME_ZONE` the change of clocks adds an hour once a year. The schedule must have no fault.
 */
export function scheduleIntervalMs(schedule: string): number {
  const parsed = parseSchedule(schedule);
  const seconds = timesOfDay(parsed);
  const [first, last] = [seconds[0], seconds.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError(`'${schedule}' is not a schedule.`);
  const days = firingDays(parsed);
  // The calendar repeats: after the last day of the cycle comes its first.
  const afterLast = days.slice(0, 1).map((day) => day + CYCLE_DAYS);
  const overnight = longestGap([...days, ...afterLast]) * DAY_SECONDS - last + first;
  return Math.max(longestGap(seconds), overnight) * 1_000;
}

const accepted = 'write second minute hour day month weekday, such as 0 0 * * * * for every hour';
const isTimeSpan = /^(\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$/;

const DAY_SECONDS = 86_400;
/** Weekdays and leap years repeat every 28 years (2001 to 2028; 2100 is further than a schedule has to look). */
const CYCLE_DAYS = 28 * 365 + 7;
const CYCLE_START = Date.UTC(2001, 0, 1);
type Day = readonly [date: number, month: number, weekday: number];
/** Every day of the cycle: each schedule of the settings is looked up in all of them. */
const CALENDAR = Array.from({ length: CYCLE_DAYS }, (_, day): Day => {
  const date = new Date(CYCLE_START + day * DAY_SECONDS * 1_000);
  return [date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
});

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const fields: readonly Field[] = [
  { name: 'second', least: 0, most: 59 },
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ') },
  { name: 'weekday', least: 0, most: 6, names: 'SUN MON TUE WED THU FRI SAT'.split(' ') },
];

/** The numbers each of the six fields stands for. */
type Parsed = readonly ReadonlySet<number>[];

function parseSchedule(schedule: string): Parsed {
  const parts = schedule.trim().split(/\s+/);
  return fields.map((field, index) => readField(parts[index] ?? '', field) ?? new Set());
}

function readField(text: string, field: Field): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const range = readItem(item, field);
    if (range === undefined) return undefined;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return values;
}

/** One of `*`, `a`, `a-b`, each with an optional `/step`; `a/step` runs to the end of the field. */
function readItem(item: string, field: Field): { from: number; to: number; step: number } | undefined {
  const { start = '', end, every } = /^(?<start>\*|\w+)(?:-(?<end>\w+))?(?:\/(?<every>\d+))?$/.exec(item)?.groups ?? {};
  const step = every === undefined ? 1 : Number(every);
  if (step < 1 || step > field.most) return undefined;
  if (start === '*') return end === undefined ? { from: field.least, to: field.most, step } : undefined;
  const from = readValue(start, field);
  const openEnd = every === undefined ? from : field.most;
  const to = end === undefined ? openEnd : readValue(end, field);
  if (from === undefined || to === undefined || from > to) return undefined;
  return { from, to, step };
}

function readValue(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + field.least;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return value >= field.least && value <= field.most ? value : undefined;
}

/** Seconds since midnight, ascending. */
function timesOfDay([seconds = none, minutes = none, hours = none]: Parsed): number[] {
  const times: number[] = [];
  for (const hour of hours) {
    for (const minute of minutes) for (const second of seconds) times.push(hour * 3_600 + minute * 60 + second);
  }
  return times.sort((a, b) => a - b);
}

/** Days since the start of the cycle, ascending. */
function firingDays(parsed: Parsed): number[] {
  const firing: number[] = [];
  for (const [index, day] of CALENDAR.entries()) if (firesOn(parsed, day)) firing.push(index);
  return firing;
}

function firesOn([, , , days = none, months = none, weekdays = none]: Parsed, [date, month, weekday]: Day): boolean {
  return days.has(date) && months.has(month) && weekdays.has(weekday);
}

const none: ReadonlySet<number> = new Set();

function longestGap(ascending: readonly number[]): number {
  let longest = 0;
  for (const [index, value] of ascending.entries())
    longest = Math.max(longest, value - (ascending[index - 1] ?? value));
  return longest;
}
