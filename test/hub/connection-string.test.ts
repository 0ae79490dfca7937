import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createSas } from '../../src/hub/access/sas.ts';

const KEY = 'c2VjcmV0+/k=';
const text = (endpoint: string, rest = ''): string =>
  `Endpoint=${endpoint};SharedAccessKeyName=Full;SharedAccessKey=${KEY}${rest}`;
const parse = (connectionString: string, hub = 'Devices') =>
  parseHubConnection(connectionString, hub, 'PRIMARY_HUB_CONNECTION');

describe('parseHubConnection', () => {
  test('reads the connection string as the portal gives it', () => {
    expect(parse(text('sb://Contoso.servicebus.windows.net/'))).toMatchObject({
      endpoint: new URL('https://contoso.servicebus.windows.net/'),
      keyName: 'Full',
      key: KEY,
      ref: { namespace: 'contoso', hub: 'devices' },
    });
  });

  test('takes white space, other case, other order, a closing semicolon and an EntityPath that agrees', () => {
    const connection = parse(
      ` sharedaccesskey = ${KEY} ;EntityPath=devices; SHAREDACCESSKEYNAME=Full;endpoint=sb://contoso.servicebus.windows.net; `,
    );
    expect(connection).toMatchObject({ key: KEY, keyName: 'Full', ref: { namespace: 'contoso', hub: 'devices' } });
  });

  test('takes plain http for the loopback only, and names such a hub by its port', () => {
    for (const host of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
      expect(parse(text(`http://${host}/`)).endpoint.protocol).toBe('http:');
    }
    expect(parse(text('http://127.0.0.1:8080/')).ref.namespace).toBe('127.0.0.1-8080');
  });

  test.each([
    ['http beyond the loopback', text('http://contoso.servicebus.windows.net/'), 'http'],
    ['http to a host that only looks like the loopback', text('http://127.0.0.1.example.com/'), 'http'],
    ['another scheme', text('ftp://contoso.servicebus.windows.net/'), 'sb://'],
    ['an endpoint that is no address', text('contoso'), 'Endpoint'],
    ['no endpoint', `SharedAccessKeyName=Full;SharedAccessKey=${KEY}`, 'Endpoint'],
    ['no key', 'Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=Full', 'SharedAccessKey'],
    ['no key name', `Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKey=${KEY}`, 'SharedAccessKeyName'],
    ['another hub in its EntityPath', text('sb://contoso.servicebus.windows.net/', ';EntityPath=other'), 'EntityPath'],
    ['a part without a name', `${text('sb://contoso.servicebus.windows.net/')};${KEY.slice(0, 5)}`, 'Name=Value'],
    ['nothing', '', 'SharedAccessKey'],
  ])('refuses %s, naming the setting and the fault but not the key', (_, connectionString, named) => {
    const fault = faultOf(() => parse(connectionString));
    expect(fault).toMatchObject({ code: 'SettingsInvalid', target: 'PRIMARY_HUB_CONNECTION' });
    expect(fault.message).toContain(named);
    expect(fault.message).not.toContain(KEY.slice(0, 5));
  });
});

describe('createSas', () => {
  const connection = parse(text('sb://contoso.servicebus.windows.net/'));

  test('signs the namespace with the key as UTF-8 text', () => {
    const token = createSas(connection, () => Date.parse('2026-11-23T10:00:00Z'))();
    const resource = 'https%3A%2F%2Fcontoso.servicebus.windows.net%2F';
    const expiry = Date.parse('2026-11-23T13:00:00Z') / 1000;
    const signature = createHmac('sha256', Buffer.from(KEY, 'utf8')).update(`${resource}\n${expiry}`).digest('base64');
    expect(token).toBe(
      `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=Full`,
    );
  });

  test('keeps a token for half an hour, so that the hub takes it from a host whose clock is two hours behind', () => {
    let now = 0;
    const sas = createSas(connection, () => now);
    const first = sas();
    now = 1_799_000;
    expect(sas()).toBe(first);
    const expiry = Number(/&se=(\d+)/.exec(first)?.[1]);
    expect(expiry * 1000).toBeGreaterThan(now + 2 * 3_600_000);
    now = 1_800_000;
    expect(sas()).not.toBe(first);
  });
});

function faultOf(work: () => unknown): DrError {
  try {
    work();
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
