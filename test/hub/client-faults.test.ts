import { describe, expect, test } from 'vitest';
import type { HubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { connectionTo, on, page, row } from './scripted-client.ts';
import { type ScriptedAnswer, startScriptedServer } from './scripted-server.ts';

describe('a fault on the way', () => {
  test.each<[string, readonly ScriptedAnswer[]]>([
    ['a connection broken before the answer', [{ breaks: 'before' }]],
    ['a connection broken within the answer', [{ body: page, breaks: 'within' }]],
    ['each status that passes', [408, 500, 502, 503, 504].map((status) => ({ status }))],
    [
      'throttling in each of its forms',
      [
        { status: 429 },
        { status: 429, headers: { 'retry-after': '2' } },
        { status: 403, headers: { 'retry-after': '1' } },
        { status: 409 },
      ],
    ],
  ])('is survived: %s', async (_, faults) => {
    await on([...faults, { body: page }], async ({ hub, call, requests }) => {
      expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
      expect(requests).toHaveLength(faults.length + 1);
    });
  });

  test('is given up at the deadline, named by its status and nothing else', async () => {
    const body = '<Error><Detail>secret-detail</Detail></Error>';
    await on([{ status: 503, body }], async ({ hub, call, clock }) => {
      await expect(hub.putRegistration('1', row, call)).rejects.toMatchObject({
        code: 'HubUnavailable',
        retryable: true,
        message: expect.stringMatching(/status 503\.$/),
      });
      expect(clock.now()).toBeLessThanOrEqual(call.deadlineAt);
    });
  });

  test('is a request that takes too long', async () => {
    await on(
      [{ body: page, delayMs: 5000 }, { body: page }],
      async ({ hub, call, requests }) => {
        expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
        expect(requests).toHaveLength(2);
      },
      { requestTimeoutMs: 200 },
    );
  });

  test('is an answer that comes by drops', async () => {
    await on(
      [{ body: page, drips: true }, { body: page }],
      async ({ hub, call, requests }) => {
        expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
        expect(requests).toHaveLength(2);
      },
      { requestTimeoutMs: 300 },
    );
  });

  test('is no listener', async () => {
    const clock = createFakeClock({ isAutomatic: true });
    const server = await startScriptedServer();
    const connection = connectionTo(server.url);
    await server[Symbol.asyncDispose]();
    const hub = createHub({
      connection,
      clock,
      limiter: new Limiter({ maxConcurrency: 1, clock }),
      random: () => 0.5,
    });
    await expect(hub.listPage(undefined, { deadlineAt: clock.now() + 5000 })).rejects.toMatchObject({
      code: 'HubUnavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await hub.close();
  });

  test('waits as long as the hub asked, and counts it', async () => {
    await on([{ status: 429, headers: { 'retry-after': '7' } }, { body: page }], async ({ hub, call, clock }) => {
      const startAt = clock.now();
      await hub.listPage(undefined, call);
      expect(clock.now() - startAt).toBe(7000);
      expect(hub.pace()).toMatchObject({ requestCount: 2, throttledCount: 1 });
    });
  });

  test('an instant the hub names is by its own clock, however wrong that of the host is', async () => {
    const date = 'Mon, 23 Nov 2026 08:00:00 GMT';
    const refusal = { status: 429, headers: { date, 'retry-after': 'Mon, 23 Nov 2026 08:00:07 GMT' } };
    await on([refusal, { body: page }], async ({ hub, call, clock }) => {
      const startAt = clock.now();
      await hub.listPage(undefined, call);
      expect(clock.now() - startAt).toBe(7000);
    });
  });

  test.each(['429', '503'])('is not waited for when the hub names ten minutes (%s)', async (status) => {
    const refusal = { status: Number(status), headers: { 'retry-after': '600' } };
    await on([refusal, refusal], async ({ hub, call, clock, requests }) => {
      const startAt = clock.now();
      const longCall = { deadlineAt: call.deadlineAt + 3_600_000 };
      const away = { code: 'HubUnavailable', retryable: true, retryAfterMs: 600_000 };
      await expect(hub.listPage(undefined, longCall)).rejects.toMatchObject(away);
      await expect(hub.listPage(undefined, longCall)).rejects.toMatchObject(away);
      expect(clock.now()).toBe(startAt);
      // A hub that throttles is left alone until then.
      expect(requests).toHaveLength(status === '429' ? 1 : 2);
    });
  });

  test('does not wait for a turn that comes after the deadline', async () => {
    await on(
      [{ status: 429, headers: { 'retry-after': '7' } }],
      async ({ hub, call, requests }) => {
        await expect(hub.listPage(undefined, call)).rejects.toMatchObject({
          code: 'HubUnavailable',
          message: expect.stringContaining('status 429'),
        });
        expect(requests).toHaveLength(1);
      },
      { patienceMs: 5000 },
    );
  });
});

const MANAGE = '<Error><Code>401</Code><Detail>Manage claim is required for this operation..</Detail></Error>';

describe('a key that is not accepted', () => {
  test.each<[string, ScriptedAnswer, object]>([
    ['its code', { status: 401 }, { code: 'HubUnauthorized' }],
    [
      'the right that it has not',
      { status: 401, body: MANAGE },
      { code: 'HubForbidden', message: expect.stringContaining('Manage') },
    ],
  ])('ends the call with %s where no other can be fetched, after three tries', async (_, answer, error) => {
    await on([answer], async ({ hub, call, requests }) => {
      await expect(hub.listPage(undefined, call)).rejects.toMatchObject({ ...error, retryable: false });
      expect(requests).toHaveLength(3);
    });
  });

  test.each([{ status: 401 }, { status: 401, body: MANAGE }])('but for once costs one more call', async (answer) => {
    await on([answer, { body: page }], async ({ hub, call, requests }) => {
      expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
      expect(requests).toHaveLength(2);
    });
  });

  test('is fetched again once, together for all calls', async () => {
    let fetched = 0;
    const refreshConnection = async (): Promise<HubConnection> => {
      fetched += 1;
      return connectionTo('http://127.0.0.1:1', 'k2');
    };
    const script = [401, 401, 401, 401].map((status): ScriptedAnswer => ({ status }));
    await on(
      [...script, { body: page }],
      async ({ hub, call, requests }) => {
        const pages = await Promise.all([hub.listPage(undefined, call), hub.listPage(undefined, call)]);
        expect(pages).toMatchObject([{ rows: [Buffer.from(row)] }, { rows: [Buffer.from(row)] }]);
        expect(new Set(requests.map(({ headers }) => headers.authorization)).size).toBeGreaterThan(1);
      },
      { refreshConnection },
    );
    expect(fetched).toBeGreaterThan(0);
    fetched = 0;
    await on(
      [{ status: 401 }],
      async ({ hub, call, requests }) => {
        await expect(hub.listPage(undefined, call)).rejects.toMatchObject({ code: 'HubUnauthorized' });
        expect(requests).toHaveLength(3);
      },
      { refreshConnection },
    );
    expect(fetched).toBe(1);
  });
});

describe('403 without a word', () => {
  const silent = { status: 403 };
  const minted = { status: 201, headers: { location: 'https://h/My%20Hub/registrationids/1-2-3' } };

  test('to a write is throttling where a call that needs the same right is answered', async () => {
    await on([silent, minted, silent, silent, { status: 200 }], async ({ hub, call, requests }) => {
      expect(await hub.putInstallation('i', '{}', call)).toEqual({ kind: 'written' });
      expect(requests.map(({ method }) => method)).toEqual(['PUT', 'POST', 'PUT', 'PUT', 'PUT']);
      expect(hub.pace()).toMatchObject({ throttledCount: 2 });
    });
  });

  test('is throttling where such a call was answered just before', async () => {
    await on([{ status: 200 }, silent, { status: 200 }], async ({ hub, call, requests }) => {
      for (const id of ['i', 'j']) await hub.putInstallation(id, '{}', call);
      expect(requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT']);
    });
  });

  test('for ever is an outage that says so', async () => {
    await on([silent, minted, silent], async ({ hub, call }) => {
      await expect(hub.putInstallation('i', '{}', call)).rejects.toMatchObject({
        code: 'HubUnavailable',
        message: expect.stringContaining('403 (no reason given)'),
      });
    });
  });

  test('also to that call is a missing right', async () => {
    await on([silent], async ({ hub, call }) => {
      const lacking = { code: 'HubForbidden', message: expect.stringContaining('Manage') };
      await expect(hub.putInstallation('i', '{}', call)).rejects.toMatchObject(lacking);
      await expect(hub.listPage(undefined, call)).rejects.toMatchObject(lacking);
    });
  });

  test('to one listing costs one more call', async () => {
    await on([silent, { body: page }], async ({ hub, call, requests }) => {
      expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
      expect(requests).toHaveLength(2);
    });
  });
});

describe('a hub of an older API version', () => {
  const older = (version: string): ScriptedAnswer => ({
    status: 400,
    body: `<Error><Code>400</Code><Detail>The notification hub was created with an older API version. Either re-create the notification hub or use an older API version, ${version}, to access it.TrackingId:1_G5,TimeStamp:2/11/2019 4:23:02 PM</Detail></Error>`,
  });

  test('is called with the version it names, from then on', async () => {
    await on([older('2017-11'), { status: 200 }], async ({ hub, call, requests }) => {
      expect(await hub.putRegistration('1', row, call)).toEqual({ kind: 'written' });
      expect(await hub.putInstallation('i', '{}', call)).toEqual({ kind: 'written' });
      const versions = requests.map(({ url, headers }) => [
        new URL(url, 'http://h').searchParams.get('api-version'),
        headers['x-ms-version'],
      ]);
      expect(versions).toEqual([
        ['2020-06', '2020-06'],
        ['2017-11', '2017-11'],
        ['2017-11', '2017-11'],
      ]);
    });
  });

  test('that does not take that either is named with it', async () => {
    await on([older('2017-11')], async ({ hub, call }) => {
      await expect(hub.putRegistration('1', row, call)).rejects.toMatchObject({
        code: 'HubMisbehaves',
        message: expect.stringContaining('2017-11'),
      });
    });
  });
});

describe('what is answered about one record', () => {
  const entry = { status: 201, headers: { location: 'https://x/My%20Hub/registrationids/7' } };
  const said = (detail: string): string => `<Error><Code>1</Code><Detail>${detail}..TrackingId:1_G2</Detail></Error>`;

  test.each([404, 501, 405, 301, 401])('is its own when the hub serves others: %i', async (status) => {
    const served = [{ body: page }, entry, { body: page }];
    const refused = { status, body: said('The tag news can not be here') };
    await on([refused, ...(status === 401 ? [refused, refused] : []), ...served], async ({ hub, call }) => {
      expect(await hub.putInstallation('a', '{"tags":["news"]}', call)).toEqual({
        kind: 'rejected',
        status,
        reason: 'Rejected',
        words: 'The tag … can not be here.',
      });
    });
    await on([refused, ...(status === 401 ? [refused, refused] : []), ...served], async ({ hub, call }) => {
      await expect(hub.findInstallation('a', call)).rejects.toMatchObject({
        name: 'DrError',
        retryable: false,
        status,
        message: expect.stringMatching(/answered a call about one record with status \d+, and serves others/),
      });
    });
  });

  test.each([
    [404, 'HubNotFound'],
    [501, 'HubMisbehaves'],
  ])("is the hub's when a call about the hub gets the same: %i, %s", async (status, code) => {
    await on([{ status }], async ({ hub, call, requests }) => {
      await expect(hub.putInstallation('a', '{}', call)).rejects.toMatchObject({ code });
      expect(requests.some(({ url }) => url.includes('/registrations?'))).toBe(true);
    });
  });

  test.each([500, 409, 504])('gives its place to others when the hub fails at it alone: %i', async (status) => {
    const fails = { status, body: said('Something went wrong') };
    const serves = [{ body: page }, entry];
    await on(
      [fails, fails, fails, ...serves, fails, fails, ...serves, fails],
      async ({ hub, call, clock, requests }) => {
        const startedAt = clock.now();
        await expect(hub.putInstallation('a', '{}', { ...call, givesWay: true })).rejects.toMatchObject({
          code: 'HubUnavailable',
          retryable: true,
          status,
          words: 'Something went wrong.',
          isSure: false,
          message: expect.stringMatching(/serves others, but not this record; last seen: status \d+\.$/),
        });
        expect(requests.filter(({ method }) => method === 'PUT')).toHaveLength(5);
        expect(clock.now() - startedAt).toBeLessThan(8000);
      },
    );
  });

  test("is the hub's while that serves no other", async () => {
    await on([{ status: 500 }], async ({ hub, call }) => {
      const put = hub.putInstallation('a', '{}', { ...call, givesWay: true });
      await expect(put).rejects.toMatchObject({ message: expect.stringMatching(/did not serve the call in time/) });
    });
  });
});
