import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SpawnedHost } from '../../local/host/spawn-host.ts';
import { eventually, type FixtureRun, runFixture } from './fixture-app.ts';

const keys = {
  master: 'the-master',
  default: 'the-default',
  functions: { plain: { default: 'plain-only', reader: 'plain-reader' } },
};
let run: FixtureRun;
let host: SpawnedHost;

beforeAll(async () => {
  run = await runFixture(undefined, []);
  host = await run.spawn({ keys, httpTimeoutSeconds: 2, settings: { FIXTURE_SETTING: 'given' } });
});
afterAll(() => run[Symbol.asyncDispose]());

const call = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, init);
const statusOf = async (path: string, init?: RequestInit) => (await call(path, init)).status;

describe('routes', () => {
  test('parameters, query, headers and body reach the function; headers, cookies and JSON come back', async () => {
    const response = await call('/api/echo/a%20b?x=1&y=', {
      method: 'PUT',
      body: 'grüße',
      headers: { 'x-test': 'sent' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-echo')).toBe('yes');
    expect(response.headers.getSetCookie()).toEqual(['seen=a%20b; max-age=60; path=/; httponly']);
    expect(await response.json()).toEqual({
      method: 'PUT',
      url: `${host.url}/api/echo/a%20b?x=1&y=`,
      params: { id: 'a b' },
      query: { x: '1', y: '' },
      header: 'sent',
      body: 'grüße',
    });
  });

  test('optional, catch-all and constrained parameters', async () => {
    expect(await (await call('/api/echo/1/2')).json()).toMatchObject({ params: { id: '1', rest: '2' } });
    expect(await (await call('/api/files/a/b.txt')).json()).toEqual({ path: 'a/b.txt' });
    expect(await (await call('/api/number/12')).json()).toEqual({ n: '12' });
    expect(await statusOf('/api/number/twelve')).toBe(404);
  });

  test('an unknown path and a method the route does not have are 404 with an empty body', async () => {
    for (const [path, method] of [
      ['/api/unknown', 'GET'],
      ['/echo/1', 'GET'],
      ['/api/echo/1', 'DELETE'],
      ['/api/echo/1', 'HEAD'],
    ] as const) {
      const response = await call(path, { method });
      expect([path, response.status, await response.text()]).toEqual([path, 404, '']);
    }
  });

  test('an empty answer is 200 and a 204 drops its body', async () => {
    expect(await statusOf('/api/nothing')).toBe(200);
    const response = await call('/api/empty');
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  test('a body of some megabytes arrives whole', async () => {
    const body = 'x'.repeat(5_000_000);
    const response = await call('/api/echo/big', { method: 'POST', body });
    expect(await response.json()).toMatchObject({ body });
  });

  test('a body sent in chunks does not arrive, nor is its end waited for; its headers do', async () => {
    const { port } = new URL(host.url);
    const caller = connect(Number(port), '127.0.0.1');
    const head = 'POST /api/echo/x HTTP/1.1\r\nHost: x\r\nX-Test: sent\r\nTransfer-Encoding: chunked\r\n\r\n';
    caller.write(`${head}5\r\nhello\r\n`);
    const [answer] = await once(caller, 'data');
    caller.destroy();
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 .*"header":"sent","body":""/s);
  });
});

describe('as the real host answers', () => {
  /** The status of a request that `fetch` would not send. */
  async function rawStatus(head: string, headers = 'Host: x\r\n'): Promise<string> {
    const caller = connect(Number(new URL(host.url).port), '127.0.0.1');
    caller.write(`${head}\r\n${headers}\r\n`);
    const [answer] = await once(caller, 'data');
    caller.destroy();
    return String(answer).split(' ')[1] ?? '';
  }

  test.each([
    ['a header that is not ASCII', '/api/answers/header', 500],
    ["a length that is not the body's", '/api/answers/length', 500],
    ["the body's own length", '/api/answers/right-length', 200],
    ['a NUL in the path', '/api/echo/%00', 400],
    ['a NUL in the query', '/api/echo/1?x=%00', 200],
    ['a request line of over 8 kB', `/api/echo/1?x=${'x'.repeat(8200)}`, 414],
  ])('%s', async (_, path, status) => {
    expect(await statusOf(path)).toBe(status);
  });

  test('a method that is unknown, and a body of over 100 MB', async () => {
    expect(await rawStatus('FROBNICATE /api/echo/1 HTTP/1.1')).toBe('404');
    expect(await rawStatus('GET /api/echo/1 FTP/1.1')).toBe('400');
    expect(await statusOf('/api/echo/1', { method: 'POST', body: Buffer.alloc(101 * 1024 * 1024) })).toBe(500);
  });

  test.each([
    ['headers of 31 kB', `Host: x\r\nX-A: ${'a'.repeat(31_000)}\r\n`, '200'],
    ['headers of 33 kB', `Host: x\r\nX-A: ${'a'.repeat(33_000)}\r\n`, '431'],
    ['100 headers', `Host: x\r\n${'X-A: 1\r\n'.repeat(99)}`, '200'],
    ['101 headers', `Host: x\r\n${'X-A: 1\r\n'.repeat(100)}`, '431'],
    ['two hosts', 'Host: x\r\nHost: y\r\n', '400'],
    ['no host', '', '400'],
    ['an empty host', 'Host:\r\n', '200'],
  ])('%s', async (_, headers, status) => {
    expect(await rawStatus('GET /api/echo/1 HTTP/1.1', headers)).toBe(status);
  });

  test('HTTP/1.0, and an address in full', async () => {
    expect(await rawStatus('GET /api/echo/1 HTTP/1.0')).toBe('200');
    expect(await rawStatus('GET /api/echo/1 HTTP/1.0', '')).toBe('500');
    expect(await rawStatus('GET http://x/api/echo/1 HTTP/1.1')).toBe('200');
    expect(await rawStatus('GET http://y/api/echo/1 HTTP/1.1')).toBe('400');
  });

  test('the first of several keys counts', async () => {
    const sent = (path: string, ...keys: string[]) =>
      rawStatus(`GET ${path} HTTP/1.1`, `Host: x\r\n${keys.map((key) => `X-Functions-Key: ${key}\r\n`).join('')}`);
    expect(await sent('/api/plain', 'the-default', 'wrong')).toBe('201');
    expect(await sent('/api/plain', 'wrong', 'the-default')).toBe('401');
    expect(await sent('/api/plain', 'the-default,wrong')).toBe('401');
    expect(await sent('/api/plain?code=the-default&Code=wrong')).toBe('201');
    expect(await sent('/api/plain?Code=wrong&code=the-default')).toBe('401');
  });
});

describe('keys', () => {
  const withKey = (key: string) => ({ headers: { 'x-functions-key': key } });

  test('an anonymous route needs none and does not mind a wrong one', async () => {
    expect(await statusOf('/api/number/1', withKey('wrong'))).toBe(200);
  });

  test('a function route takes the host, its own and the master key, in header or query; else 401 and no body', async () => {
    for (const key of ['the-default', 'plain-only', 'plain-reader', 'the-master']) {
      expect([key, await statusOf('/api/plain', withKey(key))]).toEqual([key, 201]);
      expect([key, await statusOf(`/api/plain?code=${key}`)]).toEqual([key, 201]);
      expect([key, await statusOf(`/api/plain?CODE=${key}`)]).toEqual([key, 201]);
    }
    const refused = await call('/api/plain');
    expect([refused.status, await refused.text()]).toEqual([401, '']);
    expect(await statusOf('/api/plain', withKey('wrong'))).toBe(401);
    expect(await statusOf('/api/other', withKey('plain-only'))).toBe(401);
    expect(await statusOf('/api/plain?code=the-default', withKey('wrong'))).toBe(401);
  });

  test('an admin route takes the master key only', async () => {
    expect(await statusOf('/api/admins', withKey('the-default'))).toBe(401);
    expect(await statusOf('/api/admins', withKey('the-master'))).toBe(200);
  });

  test('a function switched off by AzureWebJobs.{name}.Disabled answers 404, but not to the master key', async () => {
    expect(await statusOf('/api/off')).toBe(404);
    expect(await statusOf('/api/off', withKey('the-master'))).toBe(200);
  });
});

describe('admin API', () => {
  const admin = (path: string, key: string, body?: string) =>
    statusOf(`/admin/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-functions-key': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });

  test('wants the master key: 401 without a key, 403 with a lesser one', async () => {
    expect(await admin('host/status', 'wrong')).toBe(401);
    expect((await call('/admin/host/status')).headers.get('www-authenticate')).toBe('Bearer');
    expect(await statusOf('/admin/host/ping')).toBe(200);
    expect(await statusOf('/admin')).toBe(404);
    expect(await admin('host/status', 'the-default')).toBe(403);
    expect(await admin('functions/work', 'the-default', '{"input":""}')).toBe(403);
  });

  test('tells the state of the host', async () => {
    const response = await call('/admin/host/status?code=the-master');
    expect(await response.json()).toMatchObject({ id: 'host-app', state: 'Running' });
  });

  test('runs a queue function by hand with the given message', async () => {
    expect(await admin('functions/work', 'the-master', '{"input":"{\\"id\\":\\"by hand\\"}"}')).toBe(202);
    const [entry] = await eventually(async () => {
      const found = (await run.journal()).filter(({ id }) => id === 'by hand');
      return found.length > 0 ? found : undefined;
    });
    expect(entry).toMatchObject({ event: 'start', dequeueCount: 1 });
  });

  test('answers 404 for an unknown function and 400 without a body', async () => {
    expect(await admin('functions/unknown', 'the-master', '{"input":""}')).toBe(404);
    expect(await admin('functions/work', 'the-master', 'no json')).toBe(400);
    expect(await admin('elsewhere', 'the-master')).toBe(404);
  });
});

describe('invocations', () => {
  test('a thrown error is 500 with an empty body, and its stack is in the log', async () => {
    const response = await call('/api/fails');
    expect([response.status, await response.text()]).toEqual([500, '']);
    const output = await eventually(async () =>
      host.output().includes("'Functions.fails' (Failed") ? host.output() : '',
    );
    expect(output).toMatch(/\[fails\] error: Error: fixture failure\n\s+at /);
  });

  test('the log tells start and end, and names the function of context.log and of console.log', async () => {
    await call('/api/echo/logged');
    await call('/api/slow/1');
    const output = host.output();
    expect(output).toMatch(/Executing 'Functions\.echo' \(Reason='.*', Id=[-\da-f]{36}\)/);
    expect(output).toMatch(/Executed 'Functions\.echo' \(Succeeded, Id=[-\da-f]{36}, Duration=\d+ms\)/);
    expect(output).toContain('[echo] echo GET');
    expect(output).toContain('[slow] slow started');
  });

  test('an answer not there in time is 504 while the function runs on', async () => {
    const started = performance.now();
    expect(await statusOf('/api/slow/3000')).toBe(504);
    expect(performance.now() - started).toBeLessThan(2900);
    const record = await eventually(async () => (await run.invocations()).find((line) => line.durationMs >= 2900));
    expect(record).toMatchObject({ function: 'slow', status: 'Succeeded' });
  });

  test('settings are in the environment before the app runs', async () => {
    expect(await (await call('/api/settings')).json()).toEqual({ from: 'given' });
  });
});

test('the functions are listed with URL, schedule and queue', () => {
  expect(host.output()).toContain(`Function echo: [http] GET,PUT,POST ${host.url}/api/echo/{id}/{rest?}`);
  expect(host.output()).toContain('Function tick: [timer] * * * * * * (disabled)');
  expect(host.output()).toContain('Function work: [queue] work (disabled)');
});
