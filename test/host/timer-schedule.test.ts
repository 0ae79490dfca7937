import { describe, expect, test } from 'vitest';
import { checkPastDue, never, parseSchedule } from '../../local/host/timer-schedule.ts';

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
  ])('%s after %s', (expression, after, next) => {
    expect(parseSchedule(expression, 'test').next(at(after)).toISOString()).toBe(next);
  });

  test.each(['', '* * *', '0 0 0 L * *', '@hourly', '0 60 * * * *', '00:05:00', '* * * * * * *'])(
    '"%s" is refused with the function named',
    (expression) => {
      expect(() => parseSchedule(expression, 'Function "backup"')).toThrow(/Function "backup": schedule/);
    },
  );

  test('only schedules of several runs a minute do without a stored status', () => {
    expect(parseSchedule('*/10 * * * * *', 'test').isSubMinute).toBe(true);
    expect(parseSchedule('0 * * * * *', 'test').isSubMinute).toBe(false);
    expect(parseSchedule('*/10 5 * * * *', 'test').isSubMinute).toBe(false);
  });
});

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
