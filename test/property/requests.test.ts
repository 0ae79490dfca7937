import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { DrError, errorCodes } from '../../src/core/errors.ts';
import { codePoint } from './code-point.ts';
import {
  type FunctionAnswer,
  type FunctionRig,
  type FuzzedRequest,
  type HttpFunction,
  openFunctions,
} from './function-rig.ts';

/** Requests to a route that reads a part of them, and to one that takes all of them alike. */
const RUNS = { reading: 30, alike: 6 };

let rig: FunctionRig;
beforeAll(async () => {
  rig = await openFunctions();
});
afterAll(() => rig[Symbol.asyncDispose]());

const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.enum(errorCodes),
    message: z.string().min(20).max(20_000),
    target: z.string().optional(),
    details: z
      .array(z.strictObject({ code: z.enum(errorCodes), message: z.string(), target: z.string().optional() }))
      .max(100)
      .optional(),
  }),
});

const callersKey = 'callers-own-function-key';

/** Wrong or right, every answer is one the documentation knows. */
function expectDocumented(answer: FunctionAnswer, what: string): void {
  for (const secret of [...rig.secrets, callersKey]) {
    expect(answer.text, what).not.toContain(secret);
    expect(JSON.stringify([...answer.headers]), what).not.toContain(secret);
  }
  // The terminal tool is a whole program.
  expect(answer.text.length, what).toBeLessThan(what.startsWith('getCli ') ? 300_000 : 100_000);
  const code = answer.headers.get('x-ms-error-code');
  if (code === null) {
    // `GET /api/status` says `NotReady` by 503; the console is a page and no API.
    if (answer.status === 503) expect(JSON.parse(answer.text), what).toMatchObject({ verdict: 'NotReady' });
    else expect(answer.status, what).toBeLessThan(500);
    if (answer.status >= 400 && answer.status < 500) expect(what).toMatch(/^getConsole /);
    return;
  }
  expect(answer.status, `${what}: ${answer.text}`).toBeGreaterThanOrEqual(400);
  expect(answer.status, `${what}: ${answer.text}`).toBeLessThan(500);
  expect(errorSchema.parse(JSON.parse(answer.text)).error.code, what).toBe(code);
}

const oddText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: codePoint, maxLength: 80 }),
  fc.constantFrom(
    ...['', ' ', '.', '..', '../../primary/devices/latest', 'a/b', 'a\\b', '%2e%2e', '%', 'a b', "'; DROP TABLE", 'a.'],
    ...['__proto__', 'constructor', 'toString', 'latest', 'LATEST', 'known', 'KNOWN', '0', '-1', 'null', 'undefined'],
    ...['\0', '\r\nx: y', '<script>', '{id}', '2026-11-23T09-00-00Z-000001', '9999-99-99T99-99-99Z-zzzzzz', '\u202e'],
    ...['x'.repeat(64), 'x'.repeat(65), 'x'.repeat(2000), 'ä'.repeat(700)],
  ),
);

const fieldNames = [
  ...['snapshot', 'target', 'onConflict', 'dryRun', 'confirm', 'mode', 'order', 'only', 'note', 'of', 'purpose'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'snapshot ', 'Snapshot', ''],
];
const fields = fc.dictionary(
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fieldNames) }, { weight: 1, arbitrary: oddText }),
  fc.oneof(fc.jsonValue(), oddText, fc.constantFrom('latest', 'secondary', 'primary', 'keep', true, false, 1e308, -0)),
  { maxKeys: 6 },
);

/** Too large to be written out where a test fails: each by its name. */
const largeBodies = {
  'arrays 200,000 deep': '['.repeat(200_000) + ']'.repeat(200_000),
  'objects 100,000 deep': `${'{"snapshot":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  '2 MB of text': JSON.stringify('x'.repeat(2_000_000)),
  'a snapshot of 2 MB': JSON.stringify({ snapshot: 'x'.repeat(2_000_000) }),
  'a field name of 500 KB': JSON.stringify({ ['x'.repeat(500_000)]: 1 }),
  '50,000 fields': JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`f${index}`, 1]))),
};
const largeNames = [
  ...(['arrays 200,000 deep', 'objects 100,000 deep', '2 MB of text'] as const),
  ...(['a snapshot of 2 MB', 'a field name of 500 KB', '50,000 fields'] as const),
];
type Body = { readonly large: keyof typeof largeBodies } | string | Uint8Array;
const bodies: fc.Arbitrary<Body> = fc.oneof(
  fields.map((body) => JSON.stringify(body)),
  fc.constantFrom('{"__proto__":{"dryRun":true}}', '{"constructor":{"prototype":{"dryRun":true}}}', '{"a":1,"a":2}'),
  fc.constantFrom('\ufeff{}', '{}{}', '{"dryRun":tru', '', '  ', 'null', '[]', '0'),
  fc.json(),
  oddText,
  fc.uint8Array({ maxLength: 200 }),
  fc.record({ large: fc.constantFrom(...largeNames) }),
);

function textOf(body: Body): string | Uint8Array {
  return typeof body === 'object' && 'large' in body ? largeBodies[body.large] : body;
}

const headers = fc.dictionary(
  fc.constantFrom('content-type', 'accept', 'if-match', 'if-none-match', 'x-functions-key', 'host', 'x-odd'),
  fc.stringMatching(/^[\x21-\x7e]{0,60}$/),
  { maxKeys: 3 },
);
// Mostly one that is known: an unknown one is refused before anything else is read.
const queries = fc.dictionary(
  fc.oneof({ weight: 8, arbitrary: fc.constant('from') }, fc.constantFrom('top', 'skip', 'filter'), oddText),
  fc.oneof(oddText, fc.constantFrom('0:0', '1:1', '9999:999999999', '00001:1', '1:-1')),
  { maxKeys: 1 },
);

/** All other routes take none. */
const takingBodies = new Set(['startRestore', 'putRestore', 'rollbackRestore', 'setRole', 'erase', 'processFeedback']);

const refusalSchema = z.object({ error: z.object({ code: z.string(), message: z.string(), target: z.string() }) });

async function refusal(route: HttpFunction, request: FuzzedRequest) {
  const params = Object.fromEntries(route.paramNames.map((name) => [name, 'some-id']));
  const { status, text } = await rig.call(route, route.methods[0] ?? '', { params, ...request });
  return { status, ...refusalSchema.parse(JSON.parse(text)).error };
}

const bodyRoutes = () => rig.routes.filter(({ methods }) => !methods.includes('GET'));

async function expectNothingStarted(): Promise<void> {
  for (const name of ['listBackups', 'listRestores', 'listVerifications', 'listDrills']) {
    const list = rig.routes.find((route) => route.name === name);
    if (list === undefined) throw new Error(`There is no route ${name}.`);
    expect(JSON.parse((await rig.call(list, 'GET', {})).text), name).toEqual({ value: [] });
  }
}

test('a query parameter that a call does not know is refused by name, on every route', async () => {
  for (const route of rig.routes) {
    const refused = await refusal(route, { query: { code: 'a-key', clientId: 'default', dryRun: 'true' } });
    expect(refused, route.name).toMatchObject({ status: 400, code: 'UnknownField', target: 'dryRun' });
  }
  await expectNothingStarted();
});

test('a parameter that a call knows is refused when its value is none of those it takes', async () => {
  const report = rig.routes.find(({ name }) => name === 'getReport');
  if (report === undefined) throw new Error('There is no report.');
  expect(await refusal(report, { query: { format: 'xml' } })).toMatchObject({ code: 'BadRequest', target: 'format' });
});

test('the role is sent again only when it has changed, and may be kept for some seconds', async () => {
  const role = rig.routes.find(({ name }) => name === 'getRole');
  if (role === undefined) throw new Error('There is no role.');
  const { status, headers: sent, text } = await rig.call(role, 'GET', {});
  expect({ status, caching: sent.get('cache-control') }).toEqual({ status: 200, caching: 'private, max-age=10' });
  expect(JSON.parse(text)).toMatchObject({ active: { hub: 'devices' }, declared: null });
  const again = await rig.call(role, 'GET', { headers: { 'if-none-match': sent.get('etag') ?? '' } });
  expect(again).toMatchObject({ status: 304, text: '' });
  expect((await rig.call(role, 'GET', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
});

test('a field, and a body that is no JSON, are refused by every call that takes none', async () => {
  const routes = bodyRoutes().filter(({ name }) => !takingBodies.has(name));
  expect(routes.length).toBe(14);
  for (const route of routes) {
    const field = await refusal(route, { body: '{"dryRun":true}' });
    expect(field, route.name).toMatchObject({ status: 400, code: 'UnknownField', target: 'dryRun' });
  }
  for (const route of bodyRoutes()) {
    for (const body of ['{"dryRun":tru', ' ', 'dryRun=true', '[]', 'null']) {
      const { text, status } = await rig.call(route, route.methods[0] ?? '', { params: { id: 'some-id' }, body });
      expect([route.name, body, status, JSON.parse(text).error.code]).toEqual([route.name, body, 400, 'BadRequest']);
    }
  }
  await expectNothingStarted();
});

const announcements: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['Transfer-Encoding', { 'transfer-encoding': 'chunked' }],
  ['Transfer-Encoding', { 'transfer-encoding': 'chunked', 'content-type': 'application/json' }],
  ['Content-Length', { 'content-length': '15' }],
  ['Content-Type', { 'content-type': 'application/json' }],
  ['Content-Type', { 'content-type': 'application/json', 'content-length': '0' }],
  ['Content-Type', { 'content-type': 'application/x-www-form-urlencoded' }],
];

test('a call whose headers announce a body of which nothing arrived is refused, and nothing is started', async () => {
  for (const route of bodyRoutes()) {
    for (const [header, headers] of announcements) {
      const refused = await refusal(route, { headers });
      expect(refused, route.name).toMatchObject({ status: 400, code: 'BodyNotReceived', target: header });
      expect(refused.message).toContain('Content-Length header');
    }
  }
  await expectNothingStarted();
});

test('a GET with a body is refused; one that only names a type is not, as many clients name one in every call', async () => {
  for (const route of rig.routes.filter(({ methods }) => methods.includes('GET'))) {
    for (const [header, headers] of announcements.slice(0, 3)) {
      expect(await refusal(route, { headers }), route.name).toMatchObject({ code: 'BodyNotReceived', target: header });
    }
  }
  const list = rig.routes.find(({ name }) => name === 'listRestores');
  if (list === undefined) throw new Error('There is no list of restores.');
  expect(await rig.call(list, 'GET', { headers: { 'content-type': 'application/json' } })).toMatchObject({
    status: 200,
  });
});

test('what clients send for no body at all is one: no header, a length of 0, {}, and the empty form', async () => {
  const pin = rig.routes.find(({ name }) => name === 'pinSnapshot');
  if (pin === undefined) throw new Error('There is no pin.');
  const nothings: readonly FuzzedRequest[] = [
    {},
    { headers: { 'content-length': '0' } },
    { headers: { 'content-length': '2', 'content-type': 'application/json' }, body: '{}' },
    { headers: { 'content-length': '0', 'content-type': 'application/x-www-form-urlencoded' } },
  ];
  for (const nothing of nothings) {
    const { text } = await rig.call(pin, 'PUT', { params: { id: 'unknown' }, ...nothing });
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'SnapshotNotFound' } });
  }
});

test('whatever is asked, by any route, the answer is a documented one and shows no secret', async () => {
  const backup = rig.routes.find(({ name }) => name === 'startBackup');
  const restore = rig.routes.find(({ name }) => name === 'putRestore');
  if (backup === undefined || restore === undefined) throw new Error('The routes are not there.');
  await rig.call(backup, 'POST', {});
  await rig.drain();
  expect(await rig.call(restore, 'PUT', { params: { id: 'known' } })).toMatchObject({ status: 201 });
  expect(rig.routes.length).toBeGreaterThan(10);
  for (const route of rig.routes) {
    const params = fc.record(Object.fromEntries(route.paramNames.map((name) => [name, oddText])));
    const query = fc.oneof({ weight: route.name === 'listFailures' ? 1 : 9, arbitrary: fc.constant({}) }, queries);
    const request = fc.record({ params, query, headers, body: bodies });
    const numRuns = route.paramNames.length > 0 || route.name === 'startRestore' ? RUNS.reading : RUNS.alike;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...route.methods), request, async (method, { body, ...rest }) => {
        const sent = { ...rest, query: { ...rest.query, code: callersKey }, body: textOf(body) };
        const what = `${route.name} ${method} ${JSON.stringify([rest.params, rest.query, body])}`;
        expectDocumented(await rig.call(route, method, sent), what);
      }),
      { numRuns, seed: 1 },
    );
  }
  for (const line of rig.logged) {
    expect(line).not.toMatch(/unexpected error/);
    for (const secret of [...rig.secrets, callersKey]) expect(line).not.toContain(secret);
  }
});

test('a message that is no step is refused with a code, and harms nothing', async () => {
  const step = { formatVersion: 1, kind: 'restore', runId: 'gone', phase: 'seal', pass: 1, shard: 0, attempt: 0 };
  const messages = fc.oneof(
    fc.jsonValue(),
    oddText,
    fc.uint8Array(),
    fc.record({
      formatVersion: fc.constantFrom(1, 1, 1, 2, '1'),
      kind: fc.oneof(fc.constantFrom('backup', 'restore'), oddText),
      runId: fc.oneof(oddText, fc.constant('gone')),
      phase: fc.constantFrom('scan', 'seal', 'publish', 'reconcile', 'finish', 'nonsense', '__proto__'),
      pass: fc.oneof(fc.integer({ min: -1, max: 9 }), fc.double()),
      shard: fc.option(fc.oneof(fc.integer({ min: -1, max: 1024 }), fc.double()), { nil: undefined }),
      attempt: fc.integer(),
    }),
    fc.tuple(fc.constantFrom(...Object.keys(step)), fc.jsonValue()).map(([key, value]) => ({ ...step, [key]: value })),
  );
  await fc.assert(
    fc.asyncProperty(messages, async (message) => {
      const outcome: unknown = await rig.deliver(message).then(
        () => 'done',
        (error: unknown) => (error instanceof DrError ? 'coded' : error),
      );
      expect(['done', 'coded']).toContain(outcome);
    }),
    { numRuns: 300, seed: 1 },
  );
});
