import { describe, expect, test } from 'vitest';
import type { Clock, Hub } from '../../src/core/ports.ts';
import { createHub } from '../../src/hub/client.ts';
import { type HubConnection, parseHubConnection } from '../../src/hub/connection-string.ts';
import { Limiter } from '../../src/hub/limiter.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { readRecordings } from '../support/recordings.ts';
import { type ScriptedAnswer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

const ATOM = 'http://www.w3.org/2005/Atom';
const row = `<AppleRegistrationDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><RegistrationId>1</RegistrationId><Tags>中😀</Tags><DeviceToken>A</DeviceToken></AppleRegistrationDescription>`;
const page = `<feed xmlns="${ATOM}"><title>Registrations</title><entry><content>${row}</content></entry></feed>`;

interface Setup {
  readonly patienceMs?: number;
  readonly requestTimeoutMs?: number;
  readonly refreshConnection?: () => Promise<HubConnection>;
}

interface Scene {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly call: { readonly deadlineAt: number };
  readonly requests: readonly SeenRequest[];
}

/** A client against a server that follows the script; waits take no time. */
async function on<T>(
  script: readonly ScriptedAnswer[],
  act: (scene: Scene) => Promise<T>,
  setup: Setup = {},
): Promise<T> {
  await using server = await startScriptedServer(...script);
  const clock = createFakeClock({ isAutomatic: true });
  const { patienceMs = 60_000, ...rest } = setup;
  const limiter = new Limiter({ maxConcurrency: 8, clock });
  const hub = createHub({ connection: connectionTo(server.url), clock, limiter, random: () => 0.5, ...rest });
  try {
    return await act({ hub, clock, call: { deadlineAt: clock.now() + patienceMs }, requests: server.requests });
  } finally {
    await hub.close();
  }
}

function connectionTo(url: string, key = 'k1'): HubConnection {
  return parseHubConnection(`Endpoint=${url}/;SharedAccessKeyName=Full;SharedAccessKey=${key}`, 'My Hub', 'X');
}

describe('the listing', () => {
  test('asks for a page of a hundred, and with the token as it came for the next', async () => {
    await on(
      [{ body: page, headers: { 'x-ms-continuationtoken': 'MzEobik7Mg%3D%3D' } }, { body: page }],
      async ({ hub, call, requests }) => {
        const first = await hub.listPage(undefined, call);
        expect(first).toEqual({ rows: [Buffer.from(row)], nextToken: 'MzEobik7Mg%3D%3D' });
        expect(await hub.listPage('MzEobik7Mg%3D%3D', call)).toEqual({
          rows: [Buffer.from(row)],
          nextToken: undefined,
        });
        expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
          'GET /My%20Hub/registrations?api-version=2020-06&$top=100',
          'GET /My%20Hub/registrations?api-version=2020-06&$top=100&continuationtoken=MzEobik7Mg%3D%3D',
        ]);
        expect(requests[0]?.headers).toMatchObject({
          'x-ms-version': '2020-06',
          authorization: expect.stringMatching(
            /^SharedAccessSignature sr=http%3A%2F%2F127\.0\.0\.1%3A\d+%2F&sig=[^&]+&se=\d+&skn=Full$/,
          ),
        });
      },
    );
  });

  test('tells the next token while the page is still coming, but not that of a refusal', async () => {
    const token = { 'x-ms-continuationtoken': 'next' };
    const tokens: string[] = [];
    const onNextToken = (next: string): void => void tokens.push(next);
    await on(
      [{ body: page, headers: token, drips: true }],
      async ({ hub, call }) => {
        const whole = hub.listPage(undefined, { ...call, onNextToken });
        await expect.poll(() => tokens).toContain('next');
        await expect(whole).rejects.toMatchObject({ code: 'HubUnavailable' });
      },
      { requestTimeoutMs: 100, patienceMs: 1000 },
    );
    tokens.length = 0;
    await on([{ status: 500, headers: token }, { body: page }], async ({ hub, call }) => {
      expect(await hub.listPage(undefined, { ...call, onNextToken })).toMatchObject({ nextToken: undefined });
      expect(tokens).toEqual([]);
    });
  });

  test('encodes a token that came unencoded', async () => {
    await on([{ body: page }], async ({ hub, call, requests }) => {
      await hub.listPage('a+b/c==', call);
      expect(requests[0]?.url).toContain('continuationtoken=a%2Bb%2Fc%3D%3D');
    });
  });

  test.each([400, 404, 410])('says that the token is lost on %i, but only where there was one', async (status) => {
    await on([{ status }], async ({ hub, call }) => {
      expect(await hub.listPage('t', call)).toBe('tokenLost');
      await expect(hub.listPage(undefined, call)).rejects.toMatchObject({
        code: status === 404 ? 'HubNotFound' : 'HubMisbehaves',
      });
    });
  });

  test('asks again for a page that is damaged, and gives up when it stays so', async () => {
    const cut = page.slice(0, -10);
    await on([{ body: cut }, { body: page }], async ({ hub, call }) => {
      expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
    });
    await on([{ body: cut }], async ({ hub, call, requests }) => {
      await expect(hub.listPage(undefined, call)).rejects.toMatchObject({ code: 'HubMisbehaves', retryable: true });
      expect(requests).toHaveLength(3);
    });
  });

  test('never takes bytes for text that are none', async () => {
    const broken = Buffer.from(page.replace('中', 'é'), 'latin1');
    await on([{ body: broken }, { body: page }], async ({ hub, call, requests }) => {
      expect(await hub.listPage(undefined, call)).toMatchObject({ rows: [Buffer.from(row)] });
      expect(requests).toHaveLength(2);
    });
  });

  test('says that the hub does not exist where the namespace lists its public services', async () => {
    const body = `<feed xmlns="${ATOM}"><title type="text">Publicly Listed Services</title></feed>`;
    await on([{ body }], async ({ hub, call }) => {
      await expect(hub.listPage(undefined, call)).rejects.toMatchObject({
        code: 'HubNotFound',
        target: expect.stringContaining('my hub'),
      });
    });
  });
});

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

describe('a key that is not accepted', () => {
  test('ends the call where it cannot be fetched again', async () => {
    await on([{ status: 401 }], async ({ hub, call, requests }) => {
      await expect(hub.listPage(undefined, call)).rejects.toMatchObject({ code: 'HubUnauthorized', retryable: false });
      expect(requests).toHaveLength(1);
    });
  });

  test('is fetched again once, together for all calls', async () => {
    let fetched = 0;
    const refreshConnection = async (): Promise<HubConnection> => {
      fetched += 1;
      return connectionTo('http://127.0.0.1:1', 'k2');
    };
    const script = [{ status: 401 }, { status: 401 }, { body: page }];
    await on(
      script,
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
        expect(requests).toHaveLength(2);
      },
      { refreshConnection },
    );
    expect(fetched).toBe(1);
  });
});

/** What the hub answers to a PUT of a registration: the entry. */
function answered(etag: number): string {
  const description = row.replace('<RegistrationId>', `<ETag>${etag}</ETag><RegistrationId>`);
  return `<entry xmlns="${ATOM}"><content type="application/xml">${description}</content></entry>`;
}

describe('writes', () => {
  test('put a registration under its id, in an entry, byte for byte', async () => {
    await on([{ status: 200 }], async ({ hub, call, requests }) => {
      expect(await hub.putRegistration('a/b c-1', row, call)).toEqual({ kind: 'written' });
      expect(requests[0]).toMatchObject({
        method: 'PUT',
        url: '/My%20Hub/registrations/a%2Fb%20c-1?api-version=2020-06',
        headers: { 'content-type': 'application/atom+xml;type=entry;charset=utf-8' },
        body: `<entry xmlns="${ATOM}"><content type="application/xml">${row}</content></entry>`,
      });
      expect(requests[0]?.headers['if-match']).toBeUndefined();
    });
  });

  test.each([
    ['a new one', [{ status: 200, body: answered(1) }], {}, { kind: 'written' }],
    ['one that lived there before', [{ status: 200, body: answered(2) }], {}, { kind: 'written', isReplaced: true }],
    [
      'its own, by a call that was repeated',
      [{ status: 503 }, { status: 200, body: answered(2) }],
      {},
      { kind: 'written' },
    ],
    ['the one that was meant', [{ status: 200, body: answered(4) }], { ifMatch: 3 }, { kind: 'written' }],
  ])('say by the ETag of the answer whether a registration was put over %s', async (_, answers, over, outcome) => {
    await on(answers, async ({ hub, call }) => {
      expect(await hub.putRegistration('1', row, { ...call, ...over })).toEqual(outcome);
    });
  });

  test('put an installation under its id', async () => {
    const json = '{"installationId":"ü/1"}';
    await on([{ status: 200 }], async ({ hub, call, requests }) => {
      expect(await hub.putInstallation('ü/1', json, call)).toEqual({ kind: 'written' });
      expect(requests[0]).toMatchObject({
        method: 'PUT',
        url: '/My%20Hub/installations/%C3%BC%2F1?api-version=2020-06',
        body: json,
      });
    });
  });

  test.each([
    [410, { kind: 'idRefused', status: 410 }],
    [400, { kind: 'idRefused', status: 400 }],
    [413, { kind: 'rejected', status: 413, reason: 'TooLarge' }],
    [412, { kind: 'rejected', status: 412, reason: 'Stale' }],
  ])('of a registration answered %i are %o', async (status, outcome) => {
    await on([{ status }], async ({ hub, call }) => expect(await hub.putRegistration('1', row, call)).toEqual(outcome));
  });

  test('over a row that changed say so, and whether an earlier attempt may have done that', async () => {
    const over = { ifMatch: 3 };
    await on([{ status: 412 }], async ({ hub, call }) => {
      expect(await hub.putRegistration('1', row, { ...call, ...over })).toEqual({ kind: 'changed' });
    });
    await on([{ status: 503 }, { status: 412 }], async ({ hub, call }) => {
      expect(await hub.putRegistration('1', row, { ...call, ...over })).toEqual({ kind: 'changed', isRetried: true });
    });
  });

  test.each([
    [401, '', 'HubUnauthorized'],
    [403, '', 'HubForbidden'],
    [403, '<Error><Detail>The quota of the namespace is exceeded</Detail></Error>', 'QuotaExceeded'],
    [404, '', 'HubNotFound'],
    [302, '', 'HubMisbehaves'],
  ])('of an installation answered %i %s end with %s', async (status, body, code) => {
    await on([{ status, body }], async ({ hub, call }) => {
      await expect(hub.putInstallation('1', '{}', call)).rejects.toMatchObject({ code, retryable: false });
    });
  });

  test.each([
    ['https://n.servicebus.windows.net/h/registrationids/72-42-1?api-version=2017-04', '72-42-1'],
    ['https://n.servicebus.windows.net/h/registrationids/36-46-2', '36-46-2'],
    ['https://n.servicebus.windows.net/h/registrations/a%2Fb', 'a/b'],
  ])('take a new id from %s', async (location, id) => {
    await on([{ status: 201, headers: { location } }], async ({ hub, call, requests }) => {
      expect(await hub.createRegistrationId(call)).toBe(id);
      expect(requests[0]).toMatchObject({
        method: 'POST',
        url: '/My%20Hub/registrationIDs?api-version=2020-06',
        body: '',
      });
    });
  });

  test('refuse an id that is not named', async () => {
    await on([{ status: 201 }], async ({ hub, call }) => {
      await expect(hub.createRegistrationId(call)).rejects.toMatchObject({ code: 'HubMisbehaves' });
    });
  });
});

describe('the probe', () => {
  const minted: ScriptedAnswer = { status: 201, headers: { location: 'https://n/h/registrationids/1' } };

  test.each([
    [200, 'Standard'],
    [403, 'BasicOrFree'],
    [404, 'unknown'],
    [500, 'unknown'],
  ])('takes a feedback container answered %i for the tier %s', async (status, tier) => {
    await on([{ body: page }, minted, { status }], async ({ hub, call, requests }) => {
      expect(await hub.probe(call)).toMatchObject({ tier });
      expect(requests.slice(0, 3).map(({ method, url }) => `${method} ${url}`)).toEqual([
        'GET /My%20Hub/registrations?api-version=2020-06&$top=1',
        'POST /My%20Hub/registrationIDs?api-version=2020-06',
        'GET /My%20Hub/feedbackcontainer?api-version=2020-06',
      ]);
    });
  });

  test('fails when a right is missing', async () => {
    await on([{ status: 403 }], async ({ hub, call }) => {
      await expect(hub.probe(call)).rejects.toMatchObject({
        code: 'HubForbidden',
        message: expect.stringContaining('Manage'),
      });
    });
    await on([{ body: page }, { status: 403 }], async ({ hub, call }) => {
      await expect(hub.probe(call)).rejects.toMatchObject({ code: 'HubForbidden' });
    });
  });
});

describe('the shape of a write', () => {
  test('is that of the SDK, but for the declaration and the time it adds', async () => {
    const recorded = readRecordings().filter(
      ({ requestHeaders, method, path }) =>
        requestHeaders['x-ms-version'] !== undefined && method === 'PUT' && path?.includes('/registrations/'),
    );
    expect(recorded.length).toBeGreaterThan(0);
    for (const { requestBody, requestHeaders } of recorded) {
      const description = /<content type="application\/xml">(.*)<\/content>/.exec(requestBody)?.[1] ?? '';
      await on([{ status: 200 }], async ({ hub, call, requests }) => {
        await hub.putRegistration('1-2-3', description, call);
        expect(requests[0]?.body).toBe(requestBody.replace(/^<\?xml.*?\?>/, '').replace(/<updated>.*<\/updated>/, ''));
        expect(requests[0]?.headers['content-type']).toBe(requestHeaders['content-type']);
        expect(requests[0]?.headers['x-ms-version']).toBe(requestHeaders['x-ms-version']);
      });
    }
  });
});
