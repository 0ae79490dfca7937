import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPastDue, never, parseSchedule } from '../../local/host/timer-schedule.ts';
import { scheduleFault, scheduleIntervalMs } from '../../src/settings/schedule.ts';

const at = (text: string) => new Date(`2026-03-10T${text}Z`);

describe('NCRONTAB', () => {
  test.each([
    ['0 */5 * * * *', '10:01:00', '2026-03-10T10:05:00.000Z'],
    ['0 */5 * * * *', '10:05:00', '2026-03-10T10:10:00.000Z'],
    ['*/10 * * * * *', '10:00:01.500', '2026-03-10T10:00:10.000Z'],
    ['30 2 * * *', '10:00:00', '2026-03-11T02:30:00.000Z'],
    ['0 0 9 * * MON-FRI', '10:00:00', '2026-03-11T09:00:00.000Z'],
    // Both day fields must match: the next Friday the 13th, not the next Friday or 13th.
    ['0 0 0 13 * 5', '10:00:00', '2026-03-13T00:00:00.000Z'],
    ['0 0 0 14 * 5', '10:00:00', '2026-08-14T00:00:00.000Z'],
    // 2026-03-10 is a Tuesday. A range that runs backward is turned round: Sunday to Friday, every day, 2 to 22.
    ['0 0 9 * * FRI-SUN', '10:00:00', '2026-03-11T09:00:00.000Z'],
    ['0 0 9 * * SAT-SUN', '10:00:00', '2026-03-11T09:00:00.000Z'],
    ['0 0 9 * * SUN-SUN', '10:00:00', '2026-03-15T09:00:00.000Z'],
    ['0 0 22-2 * * *', '22:30:00', '2026-03-11T02:00:00.000Z'],
    ['0 0 9 * * Thursd', '10:00:00', '2026-03-12T09:00:00.000Z'],
    ['0 0 9 1 ju *', '10:00:00', '2026-06-01T09:00:00.000Z'],
    ['0 */0 * * * *', '10:00:00', '2026-03-10T10:01:00.000Z'],
    ['0 5/90 * * * *', '10:06:00', '2026-03-10T11:05:00.000Z'],
  ])('%s after %s', (expression, after, next) => {
    expect(parseSchedule(expression, 'test').next(at(after)).toISOString()).toBe(next);
  });

  test.each([
    ...['', '* * *', '0 0 0 L * *', '@hourly', '0 60 * * * *', '00:05:00', '* * * * * * *'],
    ...['0 0 0 * * 7', '0\t0 * * * *', '0\u00a00 * * * *', '0 0 0 ? * *', '0 *-5 * * * *'],
  ])('"%s" is refused with the function named', (expression) => {
    expect(() => parseSchedule(expression, 'Function "backup"')).toThrow(/Function "backup": schedule/);
  });

  test('only schedules of several runs a minute do without a stored status', () => {
    expect(parseSchedule('*/10 * * * * *', 'test').isSubMinute).toBe(true);
    expect(parseSchedule('0 * * * * *', 'test').isSubMinute).toBe(false);
    expect(parseSchedule('*/10 5 * * * *', 'test').isSubMinute).toBe(false);
  });
});

/** Milliseconds between the first firings after a Thursday in a leap year. */
function gapsOf(schedule: string, count: number): number[] {
  const { next } = parseSchedule(schedule, 'test');
  const firings = [next(new Date('2032-01-01T00:00:00Z'))];
  for (let at = firings[0]; at !== undefined && firings.length <= count; at = firings.at(-1)) firings.push(next(at));
  return firings.slice(1).map((at, index) => at.getTime() - (firings[index]?.getTime() ?? 0));
}

describe('every form the settings accept fires at the times the settings count with', () => {
  test.each([
    ['* * * * * *', '10:00:01 10:00:02 10:00:03'],
    ['*,5 * * * * *', '10:00:01 10:00:02 10:00:03'],
    ['59/59 * * * * *', '10:00:59 10:01:59 10:02:59'],
    ['0 0/15 * * * *', '10:15:00 10:30:00 10:45:00'],
    ['0 */59 * * * *', '10:59:00 11:00:00 11:59:00'],
    ['0 50/20 * * * *', '10:50:00 11:50:00 12:50:00'],
    ['0 5-5 * * * *', '10:05:00 11:05:00 12:05:00'],
    ['0 05 * * * *', '10:05:00 11:05:00 12:05:00'],
    ['0 1-10/3,20 * * * *', '10:01:00 10:04:00 10:07:00'],
    ['  0  0   * * * * ', '11:00:00 12:00:00 13:00:00'],
    ['0 0 */9 * * *', '18:00:00 03-11T00:00:00 03-11T09:00:00'],
    ['0 0 0 1/7 * *', '03-15T00:00:00 03-22T00:00:00 03-29T00:00:00'],
    ['0 0 0 */31 * *', '04-01T00:00:00 05-01T00:00:00 06-01T00:00:00'],
    ['0 0 0 1 JUL *', '07-01T00:00:00 2027-07-01T00:00:00 2028-07-01T00:00:00'],
    ['0 0 0 1 jul,Sep-dec/2 *', '07-01T00:00:00 09-01T00:00:00 11-01T00:00:00'],
    ['0 0 0 1 1-12/5 *', '06-01T00:00:00 11-01T00:00:00 2027-01-01T00:00:00'],
    ['0 0 0 1 4/4 *', '04-01T00:00:00 08-01T00:00:00 12-01T00:00:00'],
    ['0 0 0 * * SUN-SAT', '03-11T00:00:00 03-12T00:00:00 03-13T00:00:00'],
    ['0 0 0 * * MON/2', '03-11T00:00:00 03-13T00:00:00 03-16T00:00:00'],
    ['0 0 0 * * tue,THU,6', '03-12T00:00:00 03-14T00:00:00 03-17T00:00:00'],
    ['0 0 0 31 * MON', '08-31T00:00:00 2027-05-31T00:00:00 2028-01-31T00:00:00'],
    ['0 0 0 29 2 MON', '2044-02-29T00:00:00 2072-02-29T00:00:00 2112-02-29T00:00:00'],
  ])('%s', (schedule, expected) => {
    expect(scheduleFault(schedule)).toBeUndefined();
    const { next } = parseSchedule(schedule, 'test');
    let at = new Date('2026-03-10T10:00:00Z');
    for (const text of expected.split(' ')) {
      at = next(at);
      const missing = '2026-03-10T'.slice(0, '2026-03-10T00:00:00'.length - text.length);
      expect(at.toISOString()).toBe(`${missing}${text}.000Z`);
    }
  });

  test('and no gap is longer than the interval the settings work out', () => {
    fc.assert(
      fc.property(scheduleArbitrary, (schedule) => {
        expect(scheduleFault(schedule)).toBeUndefined();
        expect(Math.max(...gapsOf(schedule, 20))).toBeLessThanOrEqual(scheduleIntervalMs(schedule));
      }),
      { numRuns: 50 },
    );
  });
});

/** A list of items of one field, in each form NCRONTAB has. */
function field(least: number, most: number, names: readonly string[] = []): fc.Arbitrary<string> {
  const value = fc.integer({ min: least, max: most });
  const text = (number: number) => fc.constantFrom(String(number), names[number - least] ?? String(number));
  const step = fc.integer({ min: 1, max: most });
  const range = fc
    .tuple(value, value)
    .chain(([a, b]) => fc.tuple(text(Math.min(a, b)), text(Math.max(a, b))))
    .map((ends) => ends.join('-'));
  const start = fc.oneof(fc.constant('*'), value.chain(text), range);
  const item = fc.oneof(
    start,
    fc.tuple(start, step).map((parts) => parts.join('/')),
  );
  return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
}

const months = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const weekdays = 'sun mon tue wed thu fri sat'.split(' ');
/** Days up to the 28th, so that every month has them. */
const scheduleArbitrary = fc
  .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12, months), field(0, 6, weekdays))
  .map((fields) => fields.join(' '));

describe('a missed occurrence', () => {
  const schedule = parseSchedule('0 0 * * * *', 'test');

  test('of a timer never seen before is not past due, and the next one is stored', () => {
    const now = at('10:30:00');
    expect(checkPastDue(schedule, undefined, now)).toEqual({
      status: { last: never, next: at('11:00:00'), lastUpdated: now },
      isPastDue: false,
    });
  });

  test('is past due, and one still to come is not', () => {
    const stored = { last: at('10:00:00.020'), next: at('11:00:00'), lastUpdated: at('10:00:00.020') };
    expect(checkPastDue(schedule, stored, at('11:00:05'))).toEqual({ status: stored, isPastDue: true });
    expect(checkPastDue(schedule, stored, at('10:59:59'))).toEqual({ status: stored, isPastDue: false });
  });

  test('of a timer that never ran is counted from when it was first seen', () => {
    const stored = { last: never, next: at('11:00:00'), lastUpdated: at('10:30:00') };
    expect(checkPastDue(schedule, stored, at('12:00:00')).isPastDue).toBe(true);
  });

  test('under a schedule changed since is not past due', () => {
    const stored = { last: at('06:00:00'), next: at('06:30:00'), lastUpdated: at('06:00:00') };
    const now = at('10:30:00');
    expect(checkPastDue(schedule, stored, now)).toEqual({
      status: { last: never, next: at('11:00:00'), lastUpdated: now },
      isPastDue: false,
    });
  });
});
