/**
 * NCRONTAB as the Functions host's library reads it: second, minute, hour, day, month, weekday; day and weekday must
 * both match. Where that library is lax (a range turned round, a step longer than the field) this one refuses. What
 * other readers of such schedules take is taken where it has one meaning: five fields, `@daily`, `?`, `Monday`, and 7
 * for Sunday. The host is given `plainSchedule`.
 */

/** What is wrong with a schedule, as the end of a sentence that begins with the setting's name; `undefined` when nothing is. */
export function scheduleFault(schedule: string): string | undefined {
  const parts = partsOf(schedule);
  if (parts.length === 1 && isTimeSpan.test(schedule.trim())) {
    return `is a time span, which timers take on an App Service plan only; ${accepted}`;
  }
  if (parts.length !== fields.length) return `must have six fields, not ${parts.length}; ${accepted}`;
  const wrong = fields.find((field, index) => readField(parts[index] ?? '', field) === undefined);
  if (wrong !== undefined) {
    const names =
      wrong.names === undefined
        ? ''
        : ` or ${wrong.names.at(0)?.slice(0, SHORTEST_NAME)}-${wrong.names.at(-1)?.slice(0, SHORTEST_NAME)}`;
    return `has a ${wrong.name} that cannot be read: write *, ${wrong.least}-${wrong.most}${names}, lists, ranges or steps`;
  }
  const parsed = parseSchedule(schedule);
  return CALENDAR.some((day) => firesOn(parsed, day)) ? undefined : 'names a day that no year has';
}

/**
 * The schedule as six fields of numbers with single blanks between them: the host leaves a function out, without another
 * word, when there is a tab between its fields, or a 7 for Sunday. The schedule must have no fault.
 */
export function plainSchedule(schedule: string): string {
  return readAll(schedule)
    .map((items) => items.map(({ text }) => text).join(','))
    .join(' ');
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

const MONTHS = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER';
const WEEKDAYS = 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY';
/** The host takes shorter ones: `ju` is June to it. */
const SHORTEST_NAME = 3;
const SUNDAY_TOO = 7;

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
  { name: 'month', least: 1, most: 12, names: MONTHS.split(' ') },
  { name: 'weekday', least: 0, most: 6, names: WEEKDAYS.split(' ') },
];

const shortcuts: ReadonlyMap<string, string> = new Map([
  ['@hourly', '0 0 * * * *'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@monthly', '0 0 0 1 * *'],
]);

/** Its fields, whatever white space is between them; a schedule of five begins with the minute. */
function partsOf(schedule: string): readonly string[] {
  const text = schedule.trim();
  const parts = (shortcuts.get(text.toLowerCase()) ?? text).split(/\s+/);
  return parts.length === fields.length - 1 ? ['0', ...parts] : parts;
}

/** The numbers each of the six fields stands for. */
type Parsed = readonly ReadonlySet<number>[];

function parseSchedule(schedule: string): Parsed {
  return readAll(schedule).map((items) => new Set(items.flatMap(({ values }) => values)));
}

function readAll(schedule: string): readonly (readonly Item[])[] {
  const parts = partsOf(schedule);
  return fields.map((field, index) => readField(parts[index] ?? '', field) ?? []);
}

/** One of a field's list: what it stands for, and how the host is to read that. */
interface Item {
  readonly values: readonly number[];
  readonly text: string;
}

function readField(text: string, field: Field): readonly Item[] | undefined {
  const items = text.split(',').map((item) => readItem(item, field));
  const read = items.filter((item) => item !== undefined);
  return read.length === items.length ? read : undefined;
}

/** One of `*`, `a`, `a-b`, each with an optional `/step`; `a/step` runs to the end of the field. */
function readItem(item: string, field: Field): Item | undefined {
  if (item === '?' && field.name.endsWith('day')) return readItem('*', field);
  const { start = '', end, every } = /^(?<start>\*|\w+)(?:-(?<end>\w+))?(?:\/(?<every>\d+))?$/.exec(item)?.groups ?? {};
  const step = every === undefined ? 1 : Number(every);
  if (step < 1 || step > field.most) return undefined;
  const suffix = every === undefined ? '' : `/${step}`;
  if (start === '*') {
    return end === undefined ? { values: range(field.least, field.most, step), text: `*${suffix}` } : undefined;
  }
  const from = readValue(start, field);
  if (from === undefined) return undefined;
  const openEnd = every === undefined ? from : Math.max(from, field.most);
  const to = end === undefined ? openEnd : readValue(end, field);
  if (to === undefined || from > to) return undefined;
  const values = range(from, to, step).map((value) => (value > field.most ? field.least : value));
  // The host refuses a 7.
  if (to > field.most) return { values, text: values.join(',') };
  return { values, text: `${from}${end === undefined ? '' : `-${to}`}${suffix}` };
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

function readValue(text: string, field: Field): number | undefined {
  const isName = text.length >= SHORTEST_NAME && field.names !== undefined;
  const named = isName ? field.names.findIndex((name) => name.startsWith(text.toUpperCase())) : -1;
  if (named >= 0) return named + field.least;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return value >= field.least && value <= (field.name === 'weekday' ? SUNDAY_TOO : field.most) ? value : undefined;
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
