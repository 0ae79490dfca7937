import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const exchangeSchema = z.object({
  method: z.string(),
  path: z.string(),
  requestHeaders: z.record(z.string(), z.string()).nullable(),
  requestBody: z.string().nullable(),
  status: z.number(),
  responseHeaders: z.record(z.string(), z.string()).nullable(),
  responseBody: z.string().nullable(),
});

const looseSchema = exchangeSchema.partial().extend({
  method: z.string().nullish(),
  path: z.string().nullish(),
  status: z.number().nullish(),
});

export type Exchange = z.infer<typeof exchangeSchema>;
export type LooseExchange = z.infer<typeof looseSchema>;

/** Recordings lie beside the project and are not part of it. */
const folder = new URL('../../../shared/recorded/', import.meta.url);

export const hasRecordings = existsSync(folder);

/** Real sessions by file name; a few written by hand from the same shapes where the recordings are absent. */
export function sessions(): [name: string, exchanges: Exchange[]][] {
  if (!hasRecordings) return [['written by hand', handWritten]];
  return readdirSync(folder)
    .filter((name) => /^(dotnet|js2022|js2024)-.*\.json$/.test(name))
    .sort()
    .map((name) => [name, z.array(exchangeSchema).parse(read(name))]);
}

/** Requests or fixtures of one file, whatever they lack; none where the recordings are absent. */
export function looseExchanges(name: string): LooseExchange[] {
  return hasRecordings ? z.array(looseSchema).parse(read(name)) : [];
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
}

const id = '4697970960162487046-613208779604355455-3';
const query = '?api-version=2020-06';
const head = `<id>https://n.servicebus.windows.net/h/registrations/${id}${query}</id><title type="text">${id}</title><published>2020-01-01T00:00:00Z</published><updated>2020-01-01T00:00:00Z</updated><link rel="self" href="https://n.servicebus.windows.net/h/registrations/${id}${query}"/>`;
const description = (zone: string): string =>
  `<content type="application/xml"><AppleRegistrationDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ETag>1</ETag><ExpirationTime>9999-12-31T23:59:59.999${zone}</ExpirationTime><RegistrationId>${id}</RegistrationId><Tags>a,b</Tags><DeviceToken>AB</DeviceToken></AppleRegistrationDescription></content>`;
const metadata = 'xmlns:a="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"';
const self = `https://n.servicebus.windows.net/h/registrations${query}`;
const xml = { 'Content-Type': 'application/xml; charset=utf-8' };
const blank = { requestHeaders: null, requestBody: null, responseHeaders: null, responseBody: null };

const handWritten: Exchange[] = [
  {
    ...blank,
    method: 'POST',
    path: `/h/registrations${query}`,
    status: 200,
    responseHeaders: {
      'Content-Type': 'application/atom+xml; type=entry; charset=utf-8',
      ETag: 'W/"1"',
      'Content-Location': `https://n.servicebus.windows.net/h/registrations/${id}${query}`,
    },
    responseBody: `<entry a:etag="W/&quot;1&quot;" xmlns="http://www.w3.org/2005/Atom" ${metadata}>${head}${description('')}</entry>`,
  },
  {
    ...blank,
    method: 'GET',
    path: `/h/registrations${query}`,
    status: 200,
    responseHeaders: { 'Content-Type': 'application/atom+xml; type=feed; charset=utf-8' },
    responseBody: `<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Registrations</title><id>${self}</id><updated>2020-01-01T00:00:00Z</updated><link rel="self" href="${self}"/><entry a:etag="W/&quot;1&quot;" ${metadata}>${head}${description('Z')}</entry></feed>`,
  },
  { ...blank, method: 'DELETE', path: `/h/registrations/${id}${query}`, status: 200 },
  {
    ...blank,
    method: 'GET',
    path: `/h/registrations/${id}${query}`,
    status: 404,
    responseHeaders: xml,
    responseBody:
      '<Error><Code>404</Code><Detail>.TrackingId:00000000-0000-0000-0000-000000000000_G7,TimeStamp:11/7/2018 12:18:23 AM</Detail></Error>',
  },
  { ...blank, method: 'PUT', path: `/h/installations/i${query}`, status: 200, responseHeaders: xml },
  {
    ...blank,
    method: 'GET',
    path: `/h/installations/i${query}`,
    status: 200,
    responseHeaders: xml,
    responseBody:
      '{"installationId":"i","pushChannel":"AB","pushChannelExpired":false,"platform":"apns","expirationTime":"9999-12-31T23:59:59.9999999Z","tags":["tag1"]}',
  },
  { ...blank, method: 'DELETE', path: `/h/installations/i${query}`, status: 204, responseHeaders: xml },
];
