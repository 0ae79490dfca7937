import { describe, expect, test } from 'vitest';
import { readRecordings } from '../support/recordings.ts';
import { ATOM, on, row } from './scripted-client.ts';

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

  describe('of a browser installation', () => {
    const browser = (pushChannel: unknown): string =>
      JSON.stringify({ installationId: 'b', platform: 'browser', pushChannel, tags: ['a'] });
    const channel = { endpoint: 'https://e', p256dh: 'p', auth: 's' };
    const object = browser(channel);
    const text = browser(JSON.stringify(channel));

    test.each([
      ['object', object, text],
      ['text', text, object],
    ])('go as %s, in the other form once after a 400, and in that one from then on', async (_, given, other) => {
      await on([{ status: 400 }, { status: 200 }], async ({ hub, call, requests }) => {
        for (let times = 0; times < 2; times++) {
          expect(await hub.putInstallation('b', given, call)).toEqual({ kind: 'written' });
        }
        expect(requests.map(({ body }) => body)).toEqual([given, other, other]);
      });
    });

    test('are rejected when neither form is taken', async () => {
      await on([{ status: 400 }], async ({ hub, call, requests }) => {
        const rejected = { kind: 'rejected', status: 400, reason: 'Rejected' };
        expect(await hub.putInstallation('b', object, call)).toEqual(rejected);
        expect(await hub.putInstallation('b', browser('https://e'), call)).toEqual(rejected);
        expect(requests.map(({ body }) => body)).toEqual([object, text, browser('https://e')]);
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

  test('say that they are repeated where an attempt may have had an effect', async () => {
    let count = 0;
    const onRepeated = (): void => {
      count += 1;
    };
    await on([{ status: 429 }, { status: 200 }], async ({ hub, call }) => {
      expect(await hub.putInstallation('1', '{}', { ...call, onRepeated })).toEqual({ kind: 'written' });
    });
    expect(count).toBe(0);
    await on([{ breaks: 'before' }, { status: 503 }, { status: 200 }], async ({ hub, call }) => {
      await hub.deleteInstallation('1', { ...call, onRepeated });
    });
    expect(count).toBeGreaterThan(0);
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
