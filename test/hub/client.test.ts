import { describe, expect, test } from 'vitest';
import { ATOM, on, page, row } from './scripted-client.ts';
import type { ScriptedAnswer } from './scripted-server.ts';

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
      // Three times whole, its first ten rows as often, and its first row three times as often.
      expect(requests).toHaveLength(15);
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
