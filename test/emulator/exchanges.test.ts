import { describe, expect, it } from 'vitest';
import { parseDescription } from '../../local/emulator/xml-in.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import type { Exchange } from '../fixtures/exchanges/exchange.ts';
import { exchangeSessions } from '../fixtures/exchanges/index.ts';
import { hasRecordings, type Recording, readRecorded, recordedFiles } from '../support/recordings.ts';
import { type Call, caller } from './hub-caller.ts';
import { Replay } from './replay.ts';

const whySkipped = hasRecordings ? '' : ' (skipped: the recordings are no part of the repository)';

it.each(exchangeSessions)('answers as the service does: %s', (_, exchanges) => {
  const replay = new Replay(exchanges, true);
  exchanges.forEach((exchange, index) => {
    const { expected, actual } = replay.run(exchange, index);
    expect(actual, `exchange ${index}: ${exchange.method} ${exchange.path}`).toEqual(expected);
  });
});

describe.skipIf(!hasRecordings)(`answers what the service was recorded to answer${whySkipped}`, () => {
  // Bulk jobs are not emulated.
  const isEmulated = ({ path }: Recording) => !/\/jobs\b/.test(path ?? '');
  const sessions = recordedFiles(/^(dotnet|js2022|js2024)-/).map(
    (name) => [name, readRecorded(name).filter(isEmulated).map(toExchange)] as const,
  );

  it.each(sessions)('%s', (_, exchanges) => {
    const replay = new Replay(exchanges);
    exchanges.forEach((exchange, index) => {
      const { expected, actual } = replay.run(exchange, index);
      expect(actual, `exchange ${index}: ${exchange.method} ${exchange.path}`).toEqual(expected);
    });
  });

  it('of which there are at least 75', () => {
    expect(sessions.flatMap(([, exchanges]) => exchanges).length).toBeGreaterThanOrEqual(75);
  });
});

it.skipIf(!hasRecordings)(`reads every registration in the fixtures of other SDKs, in both forms${whySkipped}`, () => {
  const entries = [...readRecorded('fixtures-java.json'), ...readRecorded('fixtures-go.json')]
    .map(({ responseBody }) => responseBody)
    .filter(
      (body) => /<\w*RegistrationDescription\b/.test(body) && !body.includes('<feed') && !body.includes('metadata:'),
    );
  for (const body of entries) {
    const { platform, texts } = parseDescription(body, { outOfOrderElements: 'accept', unknownElements: 'reject' });
    expect([platform, texts.size > 0]).toEqual([platform, true]);
  }
  expect(entries.length).toBeGreaterThanOrEqual(15);
});

it.skipIf(!hasRecordings)(`takes the requests that the JavaScript SDK was seen to send${whySkipped}`, async () => {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['hub1'] }] });
  const call = caller(emulator.namespace('n'));
  const refused: string[] = [];
  for (const { method, path, requestBody, requestHeaders } of readRecorded('js-sdk-2.1.0-requests.json')) {
    // A stale ETag, an id with a slash sent as it is, jobs and feedback: refusing these is right.
    if (requestHeaders['if-match'] === '"4"' || /with%20space|jobs|feedback|continuationtoken/.test(path ?? ''))
      continue;
    await prepare(call, method ?? '', path ?? '');
    const { 'content-type': type = 'application/json', 'if-match': match } = requestHeaders;
    const headers = { 'content-type': type, ...(match === undefined ? {} : { 'if-match': match }) };
    const body = requestBody === '' ? undefined : requestBody;
    const answer = await call(method ?? '', (path ?? '').slice(1), body, headers);
    if (answer.status >= 300) refused.push(`${method} ${path}: ${answer.status} ${answer.text}`);
  }
  expect(refused).toEqual([]);
});

function toExchange({ method = '', path = '', status = 0, requestBody, responseBody, ...rest }: Recording): Exchange {
  return { ...rest, method, path, status, requestBody: requestBody || null, responseBody: responseBody || null };
}

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
