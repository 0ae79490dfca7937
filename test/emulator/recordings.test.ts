import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../local/emulator/xml-in.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { type Exchange, hasRecordings, looseExchanges, sessions } from './exchanges.ts';
import { type Call, caller } from './hub-caller.ts';
import { Replay } from './replay.ts';

if (!hasRecordings) console.warn('The recordings are absent: a few exchanges written by hand stand in for them.');

/** Exchanges the emulator does not answer like the service, and why. */
const inexpressible: readonly { readonly is: (exchange: Exchange) => boolean; readonly reason: string }[] = [
  { is: ({ path }) => /\/jobs\b/.test(path), reason: 'bulk jobs are not emulated yet' },
];

const all = sessions();
let replayedCount = 0;

describe('answers what the service answered', () => {
  it.each(all)('%s', (_, exchanges) => {
    const replay = new Replay(exchanges);
    exchanges.forEach((exchange, index) => {
      if (inexpressible.some(({ is }) => is(exchange))) return;
      const { expected, actual } = replay.run(exchange, index);
      expect(actual, `exchange ${index}: ${exchange.method} ${exchange.path}`).toEqual(expected);
      replayedCount += 1;
    });
  });

  it('replays all but the exchanges listed with a reason', () => {
    const exchanges = all.flatMap(([, each]) => each);
    const left = exchanges.flatMap((exchange) => inexpressible.filter(({ is }) => is(exchange)));
    console.info(
      `${replayedCount} of ${exchanges.length} exchanges replayed; left out: ${JSON.stringify(left.map(({ reason }) => reason))}`,
    );
    expect(replayedCount).toBe(exchanges.length - left.length);
    expect(replayedCount).toBeGreaterThanOrEqual(hasRecordings ? 75 : 7);
  });
});

it('reads every registration in the fixtures of other SDKs, in both forms', () => {
  const fixtures = ['fixtures-java.json', 'fixtures-go.json'].flatMap(looseExchanges);
  const entries = fixtures
    .map(({ responseBody }) => responseBody ?? '')
    .filter(
      (body) => /<\w*RegistrationDescription\b/.test(body) && !body.includes('<feed') && !body.includes('metadata:'),
    );
  for (const body of entries) {
    const { platform, texts } = parseDescription(body, { outOfOrderElements: 'accept', unknownElements: 'reject' });
    expect([platform, texts.size > 0]).toEqual([platform, true]);
  }
  if (hasRecordings) expect(entries.length).toBeGreaterThanOrEqual(15);
});

it('takes the requests that the JavaScript SDK was seen to send', async () => {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['hub1'] }] });
  const call = caller(emulator.namespace('n'));
  const refused: string[] = [];
  for (const { method, path, requestBody, requestHeaders } of looseExchanges('js-sdk-2.1.0-requests.json')) {
    // A stale ETag, an id with a slash sent as it is, jobs and feedback: refusing these is right.
    if (requestHeaders?.['if-match'] === '"4"' || /with%20space|jobs|feedback|continuationtoken/.test(path ?? ''))
      continue;
    await prepare(call, method ?? '', path ?? '');
    const { 'content-type': type = 'application/json', 'if-match': match } = requestHeaders ?? {};
    const headers = { 'content-type': type, ...(match === undefined ? {} : { 'if-match': match }) };
    const answer = await call(method ?? '', (path ?? '').slice(1), requestBody ?? undefined, headers);
    if (answer.status >= 300) refused.push(`${method} ${path}: ${answer.status} ${answer.text}`);
  }
  expect(refused).toEqual([]);
});

async function prepare(call: Call, method: string, path: string): Promise<void> {
  if (/\/registrations\/1-2-3/.test(path) && method !== 'PUT') {
    await call(
      'PUT',
      'hub1/registrations/1-2-3',
      '<AppleRegistrationDescription><DeviceToken>AA</DeviceToken></AppleRegistrationDescription>',
    );
  }
  if (/\/installations\/i1/.test(path))
    await call('PUT', 'hub1/installations/i1', { platform: 'apns', pushChannel: 'AA' });
}
