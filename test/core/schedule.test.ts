import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainSchedule, scheduleFault, scheduleIntervalMs } from '../../src/settings/schedule.ts';
import { runs } from '../support/property-runs.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('the interval of a schedule is its longest gap', () => {
  test.each([
    ['* * * * * *', SECOND],
    ['0 * * * * *', MINUTE],
    ['0 */5 * * * *', 5 * MINUTE],
    ['0 */45 * * * *', 45 * MINUTE],
    ['0 0 * * * *', HOUR],
    ['0 30 2 * * *', DAY],
    ['0 */5 8-18 * * *', 13 * HOUR + 5 * MINUTE],
    ['0 0 6 * * MON-FRI', 3 * DAY],
    ['0 0 6 * * 1,3', 5 * DAY],
    ['0 0 0 1 * *', 31 * DAY],
    ['0 0 0 31 * *', 61 * DAY],
    ['0 0 0 1 JAN *', 366 * DAY],
    ['0 0 0 29 2 *', 1_461 * DAY],
    ['15 10/20 * * * *', 20 * MINUTE],
    ['0 0,10,50 * * * *', 40 * MINUTE],
    ['0 0 0 1-7 * mon', 35 * DAY],
  ])('%s', (schedule, intervalMs) => {
    expect(scheduleFault(schedule)).toBeUndefined();
    expect(scheduleIntervalMs(schedule)).toBe(intervalMs);
  });

  test('and agrees with an independent reader over the firings of some years', () => {
    fc.assert(
      fc.property(scheduleArbitrary, (schedule) => {
        const cron = new Cron(schedule, { timezone: 'UTC', domAndDow: true, sloppyRanges: true, paused: true });
        const start = new Date('2024-01-01T00:00:00Z');
        // In 2100 the calendar's cycle of 28 years breaks once.
        const firings = cron
          .nextRuns(60, start)
          .map(Number)
          .filter((at) => at < Date.UTC(2100));
        if (firings.length < 2) return;
        const gaps = firings.slice(1).map((at, index) => at - (firings[index] ?? at));
        expect(Math.max(...gaps)).toBeLessThanOrEqual(scheduleIntervalMs(schedule));
        // Sixty firings show every gap of a schedule that fires at most four times a day on days of a week.
        if (/^\d+ \d+ [\d,]+ \* \* \S+$/.test(schedule)) expect(Math.max(...gaps)).toBe(scheduleIntervalMs(schedule));
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('a schedule with one meaning is handed on as the host reads it', () => {
  test.each([
    ['0 0 3 * * Monday', '0 0 3 * * 1'],
    ['0 3 * * *', '0 0 3 * * *'],
    ['@daily', '0 0 0 * * *'],
    [' @Weekly ', '0 0 0 * * 0'],
    ['0 0 3 ? * MON', '0 0 3 * * 1'],
    ['0 0 3 1 * ?', '0 0 3 1 * *'],
    ['0 0 3 * * 7', '0 0 3 * * 0'],
    ['0 0 3 * * FRI-7', '0 0 3 * * 5,6,0'],
    ['0 0 3 * * 1-7/2', '0 0 3 * * 1,3,5,0'],
    ['0\t0\n3\u00a0*  *   *', '0 0 3 * * *'],
    ['0 05 */2 1,15 jan-Sept/2 SUN-SUN', '0 5 */2 1,15 1-9/2 0-0'],
    ['0 10/20 * * * *', '0 10/20 * * * *'],
  ])('%j', (schedule, plain) => {
    expect(scheduleFault(schedule)).toBeUndefined();
    expect(plainSchedule(schedule)).toBe(plain);
    expect(scheduleFault(plain)).toBeUndefined();
    expect(scheduleIntervalMs(plain)).toBe(scheduleIntervalMs(schedule));
    expect(plainSchedule(plain)).toBe(plain);
  });
});

describe('a schedule is refused', () => {
  test.each([
    ['', /six fields, not 1/],
    ['0 0 * *', /six fields, not 4/],
    ['0 0 0 * * * *', /six fields, not 7/],
    ['01:00:00', /time span.*App Service plan/],
    ['60 * * * * *', /second.*0-59/],
    ['0 60 * * * *', /minute/],
    ['0 0 24 * * *', /hour/],
    ['0 0 0 0 * *', /day.*1-31/],
    ['0 0 0 * 13 *', /month.*JAN-DEC/],
    ['0 0 0 * * 8', /weekday.*0-6 or SUN-SAT/],
    ['0 0 0 * * FRI-SUN', /weekday/],
    ['0 0 0 * * m', /weekday/],
    ['0 0 0 1 ju *', /month/],
    ['0 0 0 * * Mondays', /weekday/],
    ['__proto__', /six fields, not 1/],
    ['@yesterday', /six fields, not 1/],
    ['0 0 ? * * *', /hour/],
    ['0 0 0 L * *', /day/],
    ['0 0 0 * * MON#1', /weekday/],
    ['0 0 18-8 * * *', /hour/],
    ['0 */0 * * * *', /minute/],
    ['0 */90 * * * *', /minute/],
    ['0 1,,2 * * * *', /minute/],
    ['0 *-5 * * * *', /minute/],
    ['0 0 0 30 2 *', /no year has/],
  ])('%s', (schedule, reason) => {
    expect(scheduleFault(schedule)).toMatch(reason);
  });

  test('and whatever the text is, reading it ends without a throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => void scheduleFault(text)));
  });
});

function field(least: number, most: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: least, max: most });
  return fc.oneof(
    fc.constant('*'),
    value.map(String),
    fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc.uniqueArray(value, { minLength: 1, maxLength: 4 }).map((values) => values.join(',')),
    fc.integer({ min: 1, max: most }).map((step) => `*/${step}`),
    fc.tuple(value, fc.integer({ min: 1, max: most })).map(([from, step]) => `${from}/${step}`),
  );
}

const anySchedule = fc
  .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
  .map((parts) => parts.join(' '));

const fewADay = fc
  .tuple(
    fc.integer({ min: 0, max: 59 }),
    fc.integer({ min: 0, max: 59 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 }),
    field(0, 6),
  )
  .map(([second, minute, hours, weekday]) => `${second} ${minute} ${hours.join(',')} * * ${weekday}`);

const scheduleArbitrary = fc.oneof(anySchedule, fewADay);
