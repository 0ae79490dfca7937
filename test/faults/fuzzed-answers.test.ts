import { createServer, type Server } from 'node:http';
import { describe, expect, test } from 'vitest';
import { integer, pick, type Random, seededRandom } from '../../local/emulator/random.ts';
import { DrError, RecordFault } from '../../src/core/errors.ts';
import type { Hub, PutOptions } from '../../src/core/ports.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { ATOM, connectionTo, page, row } from '../hub/scripted-client.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** Answers to each call. */
const ANSWERS = 500;

interface Fuzzed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const error = (text: string): string => `<Error><Code>1</Code><Detail>${text}.TrackingId:1_G1</Detail></Error>`;
const entry = `<entry xmlns="${ATOM}"><content type="application/xml">${row}</content></entry>`;
const likely = [...[200, 201, 204, 400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 429, 500, 501, 502, 503, 504]];
const texts = [
  'Quota exceeded',
  'The request rate is too high',
  'Manage claim is required for this operation',
  'The hub was created with an older API version. Use an older API version, 2017-11, to access it',
  'InvalidSignature: The token has an invalid signature',
  'No service is hosted at the specified address',
  'Tags can not start with $',
  '%E0%A4%A',
];
const bodies = [page, entry, page.slice(0, 150), '', '{}', '[', '<html><body>403 Forbidden</body></html>', '\u0000'];
const headerNames = ['retry-after', 'location', 'content-location', 'x-ms-continuationtoken', 'etag', 'date'];
const headerValues = [
  '',
  '1',
  '-1',
  '99999999999',
  'soon',
  'Mon, 23 Nov 2026 10:00:00 GMT',
  '%E0%A4%A',
  '/h/registrations/%E0',
  'https://h/h/registrationids/1-2-3',
];

function fuzz(random: Random): Fuzzed {
  const status = random() < 0.9 ? pick(random, likely) : 202 + integer(random, 398);
  const headers: Record<string, string> = {};
  for (const name of headerNames) if (random() < 0.15) headers[name] = pick(random, headerValues);
  const kind = random();
  const text = kind < 0.4 ? error(pick(random, texts)) : pick(random, bodies);
  const body = kind < 0.9 ? Buffer.from(text) : Buffer.from(Array.from({ length: 40 }, () => integer(random, 256)));
  return { status, headers, body };
}

const isAboutHub = (method: string, path: string): boolean =>
  method === 'POST' || path.includes('/feedbackcontainer') || /\/registrations\?[^/]*\$top=/.test(path);

/** Answers the calls about one record with `answer`; those about the hub, too, or as a hub does that is well. */
async function openServer(isHubWell: boolean) {
  let answer: Fuzzed = { status: 200, headers: {}, body: Buffer.alloc(0) };
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const { method = '', url = '' } = request;
      if (!isHubWell || !isAboutHub(method, url)) {
        response.writeHead(answer.status, answer.headers).end(answer.body);
      } else if (method === 'POST')
        response.writeHead(201, { location: 'https://h/My%20Hub/registrationids/1-2-3' }).end();
      else response.writeHead(200).end(page);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const clock = createFakeClock({ isAutomatic: true });
  const connection = connectionTo(`http://127.0.0.1:${address.port}`);
  const hub = createHub({ connection, clock, limiter: new Limiter({ maxConcurrency: 4, clock }), random: () => 0.5 });
  return {
    /** The hub gives this answer from now on. What the client knows of it is old by then. */
    async ask<T>(given: Fuzzed, work: (hub: Hub, call: PutOptions) => Promise<T>): Promise<T | Error> {
      answer = given;
      await clock.sleep(3_600_000);
      try {
        return await work(hub, { deadlineAt: clock.now() + 3000 });
      } catch (fault) {
        return fault instanceof Error ? fault : new Error(String(fault));
      }
    },
    async [Symbol.asyncDispose]() {
      await hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const show = ({ status, headers, body }: Fuzzed, got: unknown): string => {
  const seen = got instanceof DrError ? `${got.constructor.name} ${got.code}: ${got.message}` : String(got);
  return `${status} ${JSON.stringify(headers)} ${JSON.stringify(Buffer.from(body).toString())} gave ${seen}`;
};

const ofRecord: Readonly<Record<string, (hub: Hub, call: PutOptions) => Promise<unknown>>> = {
  putRegistration: (hub, call) => hub.putRegistration('1-1-1', row, call),
  updateRegistration: (hub, call) => hub.putRegistration('1-1-1', row, { ...call, ifMatch: 3 }),
  putInstallation: (hub, call) => hub.putInstallation('i', '{"platform":"browser","pushChannel":{"a":1}}', call),
  deleteRegistration: (hub, call) => hub.deleteRegistration('1-1-1', 1, call),
  deleteInstallation: (hub, call) => hub.deleteInstallation('i', call),
  findRegistration: (hub, call) => hub.findRegistration('1-1-1', call),
  findInstallation: (hub, call) => hub.findInstallation('i', call),
};

describe('an answer to one call about a record never ends a run, where the hub is well', () => {
  test.each(Object.entries(ofRecord))('%s', async (name, work) => {
    await using server = await openServer(true);
    const random = seededRandom(name.length);
    const wrong: string[] = [];
    for (let index = 0; index < ANSWERS; index++) {
      const given = fuzz(random);
      const got = await server.ask(given, work);
      if (!(got instanceof Error) || got instanceof RecordFault) continue;
      const isWaited = got instanceof DrError && got.code === 'HubUnavailable' && got.retryable;
      const isFull = got instanceof DrError && got.code === 'QuotaExceeded' && given.status === 403;
      if (!isWaited && !isFull) wrong.push(show(given, got));
    }
    expect(wrong).toEqual([]);
  });
});

/** What an answer to every call may come to. */
function codesFor({ status }: Fuzzed): readonly string[] {
  if (status >= 200 && status < 300) return ['HubMisbehaves', 'HubNotFound'];
  if (status === 401) return ['HubUnauthorized', 'HubForbidden'];
  if (status === 403) return ['HubForbidden', 'HubUnavailable', 'QuotaExceeded'];
  if (status === 404) return ['HubNotFound'];
  return [408, 409, 429, 500, 502, 503, 504].includes(status) ? ['HubUnavailable'] : ['HubMisbehaves'];
}

const ofHub: Readonly<Record<string, (hub: Hub, call: PutOptions) => Promise<unknown>>> = {
  listPage: (hub, call) => hub.listPage(undefined, call),
  'listPage with a token': (hub, call) => hub.listPage('MQ%3D%3D', call),
  createRegistrationId: (hub, call) => hub.createRegistrationId(call),
  probe: (hub, call) => hub.probe(call),
};

describe('an answer to every call ends it with the code that it means', () => {
  test.each(Object.entries(ofHub))('%s', async (name, work) => {
    await using server = await openServer(false);
    const random = seededRandom(100 + name.length);
    const wrong: string[] = [];
    for (let index = 0; index < ANSWERS; index++) {
      const given = fuzz(random);
      const got = await server.ask(given, work);
      if (!(got instanceof Error)) continue;
      if (!(got instanceof DrError && codesFor(given).includes(got.code))) wrong.push(show(given, got));
    }
    expect(wrong).toEqual([]);
  });
});
