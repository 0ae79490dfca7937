import { describe, expect, test } from 'vitest';
import { judgeAnswer, type Operation, parseRetryAfter } from '../../src/hub/transport/answer.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');

const all: readonly Operation[] = [
  'list',
  'listOn',
  'putRegistration',
  'putInstallation',
  'deleteRegistration',
  'deleteInstallation',
  'newRegistrationId',
  'feature',
];
const MANAGE = '<Error><Code>401</Code><Detail>Manage claim is required for this operation..</Detail></Error>';
const OLDER =
  '<Error><Code>400</Code><Detail>The notification hub was created with an older API version. Either re-create the notification hub or use an older API version, 2017-11, to access it.TrackingId:1_G5,TimeStamp:2/11/2019 4:23:02 PM</Detail></Error>';
const judge = (operation: Operation, status: number, retryAfter?: string, detail = '') =>
  judgeAnswer(operation, { status, retryAfter, detail }, NOW);

describe('judgeAnswer, for every call', () => {
  test.each(all)('%s', (operation) => {
    expect(judge(operation, 200)).toEqual({ kind: 'ok' });
    expect(judge(operation, 201)).toEqual({ kind: 'ok' });
    expect(judge(operation, 401)).toEqual({ kind: 'unauthorized' });
    expect(judge(operation, 429)).toEqual({ kind: 'throttled', retryAfterMs: undefined });
    expect(judge(operation, 429, '3')).toEqual({ kind: 'throttled', retryAfterMs: 3000 });
    expect(judge(operation, 409)).toEqual({ kind: 'throttled', retryAfterMs: undefined });
    expect(judge(operation, 403, '1')).toEqual({ kind: 'throttled', retryAfterMs: 1000 });
    for (const detail of ['The request rate is too high.', 'Number of requests exceeded the limit', 'Server Busy']) {
      expect(judge(operation, 403, undefined, detail)).toEqual({ kind: 'throttled', retryAfterMs: undefined });
    }
    expect(judge(operation, 403, undefined, 'Manage claim is required')).toEqual({
      kind: 'forbidden',
      right: 'Manage',
    });
    expect(judge(operation, 403, undefined, 'The address is not allowed.')).toEqual({ kind: 'forbidden' });
    expect(judge(operation, 401, undefined, MANAGE)).toEqual({ kind: 'unauthorized', right: 'Manage' });
    expect(judge(operation, 400, undefined, OLDER)).toEqual({ kind: 'olderVersion', version: '2017-11' });
    for (const status of [408, 500, 502, 503, 504]) expect(judge(operation, status).kind).toBe('transient');
    expect(judge(operation, 503, '2')).toEqual({ kind: 'transient', retryAfterMs: 2000 });
    for (const status of [301, 307, 505]) expect(judge(operation, status)).toEqual({ kind: 'unexpected' });
  });
});

describe('judgeAnswer, by call', () => {
  test.each<[Operation, number, string]>([
    ['list', 400, 'unexpected'],
    ['list', 404, 'notFound'],
    ['list', 410, 'unexpected'],
    ['listOn', 400, 'tokenLost'],
    ['listOn', 404, 'tokenLost'],
    ['listOn', 410, 'tokenLost'],
    ['listOn', 413, 'unexpected'],
    ['putRegistration', 400, 'idRefused'],
    ['putRegistration', 404, 'idRefused'],
    ['putRegistration', 410, 'idRefused'],
    ['putRegistration', 412, 'rejected'],
    ['putRegistration', 413, 'rejected'],
    ['putRegistration', 415, 'rejected'],
    ['putInstallation', 400, 'rejected'],
    ['putInstallation', 404, 'notFound'],
    ['putInstallation', 410, 'rejected'],
    ['deleteRegistration', 404, 'gone'],
    ['deleteRegistration', 412, 'stale'],
    ['deleteInstallation', 404, 'gone'],
    ['deleteInstallation', 410, 'gone'],
    ['deleteInstallation', 400, 'unexpected'],
    ['newRegistrationId', 400, 'unexpected'],
    ['newRegistrationId', 404, 'notFound'],
    ['feature', 404, 'notFound'],
  ])('%s answered %i means %s', (operation, status, kind) => {
    expect(judge(operation, status).kind).toBe(kind);
  });

  test.each<[Operation, string, string]>([
    ['putRegistration', 'Quota exceeded', 'quotaExceeded'],
    ['putInstallation', 'The namespace has the maximum number of devices.', 'quotaExceeded'],
    ['newRegistrationId', 'Too many devices', 'quotaExceeded'],
    // They need no room.
    ['list', 'QuotaExceededException', 'throttled'],
    ['deleteRegistration', 'The limit was exceeded', 'throttled'],
    ['feature', 'Exceeds what is enabled for your SKU', 'forbidden'],
    ['putRegistration', '', 'unexplained'],
    ['list', ' ', 'unexplained'],
    ['feature', '', 'forbidden'],
  ])('%s answered 403 with %j means %s', (operation, detail, kind) => {
    expect(judge(operation, 403, undefined, detail).kind).toBe(kind);
  });

  test('names why a record is rejected', () => {
    expect(judge('putInstallation', 400)).toEqual({ kind: 'rejected', reason: 'Rejected' });
    expect(judge('putInstallation', 413)).toEqual({ kind: 'rejected', reason: 'TooLarge' });
    expect(judge('putRegistration', 412)).toEqual({ kind: 'rejected', reason: 'Stale' });
  });
});

describe('parseRetryAfter', () => {
  test.each([
    ['5', 5000],
    [' 0 ', 0],
    ['1.5', 1500],
    ['Mon, 23 Nov 2026 10:00:07 GMT', 7000],
    ['Monday, 23-Nov-26 10:00:07 GMT', 7000],
    ['Mon, 23 Nov 2026 09:00:00 GMT', 0],
    ['86400', 600_000],
  ])('reads %j', (header, waitMs) => {
    expect(parseRetryAfter(header, NOW)).toBe(waitMs);
  });

  test.each([undefined, '', '-1', 'soon', 'Foo, bar'])('takes %j for no time', (header) => {
    expect(parseRetryAfter(header, NOW)).toBeUndefined();
  });
});
