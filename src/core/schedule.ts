/** Six-field NCRONTAB as the Functions host reads it: second minute hour day month weekday. */

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
  {
    name: 'month',
    least: 1,
    most: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'weekday', least: 0, most: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** What is wrong with a schedule, as the end of a sentence that begins with the setting's name; else `undefined`. */
export function scheduleFault(schedule: string): string | undefined {
  const parts = schedule.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    return 'must be an NCRONTAB expression of six fields (second minute hour day month weekday), such as 0 0 * * * *';
  }
  for (const [index, field] of fields.entries()) {
    if (readField(parts[index] ?? '', field) === undefined) {
      return `has a ${field.name} that cannot be read; accepted are *, ${field.least}-${field.most}, lists, ranges and steps`;
    }
  }
  return undefined;
}

const DAY_SECONDS = 86_400;

/**
 * The longest gap between two firings, in milliseconds: a backup later than that is late. Days that never match (a
 * weekly or monthly schedule) count as whole days; beyond 31 days it is 31 days.
 */
export function scheduleIntervalMs(schedule: string): number {
  const [seconds, minutes, hours, days, months, weekdays] = schedule
    .trim()
    .split(/\s+/)
    .map((part, index) => readField(part, fields[index] ?? { name: '', least: 0, most: 0 }) ?? new Set<number>());
  const times: number[] = [];
  for (const hour of hours ?? [])
    for (const minute of minutes ?? [])
      for (const second of seconds ?? []) times.push(hour * 3600 + minute * 60 + second);
  times.sort((a, b) => a - b);
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  let gap = 0;
  for (let index = 1; index < times.length; index++) gap = Math.max(gap, (times[index] ?? 0) - (times[index - 1] ?? 0));
  const daysBetween = longestDayGap(days, months, weekdays);
  return Math.max(gap, daysBetween * DAY_SECONDS - last + first) * 1000;
}

function longestDayGap(days?: Set<number>, months?: Set<number>, weekdays?: Set<number>): number {
  let longest = 1;
  let sinceLast = 0;
  // 400 days of a leap year and the next show every weekly and monthly gap.
  for (let day = 0; day < 400; day++) {
    const date = new Date(Date.UTC(2028, 0, 1 + day));
    sinceLast += 1;
    if (!days?.has(date.getUTCDate()) || !months?.has(date.getUTCMonth() + 1) || !weekdays?.has(date.getUTCDay()))
      continue;
    longest = Math.max(longest, sinceLast);
    sinceLast = 0;
  }
  return Math.min(31, longest);
}

function readField(text: string, field: Field): Set<number> | undefined {
  const values = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const step = match[3] === undefined ? 1 : Number(match[3]);
    const from = match[1] === '*' ? field.least : numberOf(match[1] ?? '', field);
    const to =
      match[1] === '*'
        ? field.most
        : match[2] === undefined
          ? match[3]
            ? field.most
            : from
          : numberOf(match[2], field);
    if (from === undefined || to === undefined || from > to || step < 1) return undefined;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function numberOf(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.slice(0, 3)) ?? -1;
  const value = named >= 0 ? named + field.least : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  // Sunday may be written as 7.
  const wrapped = field.name === 'weekday' && value === 7 ? 0 : value;
  return wrapped >= field.least && wrapped <= field.most ? wrapped : undefined;
}
