import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { z } from 'zod';
import { makeCertificate } from '../../local/certificate.ts';
import { type Answer, FastHub } from './fast-hub.ts';
import { serveConnection, type WireAnswer, type WireRequest } from './wire.ts';
import { deviceBatches, writesFor } from './workload.ts';

/**
 * The hubs `primary` (full) and `secondary` (empty) for peers, ceilings and the app alike, as a process of its own that
 * is controlled by messages. Answers have the bytes of the emulator's, but cost a fraction of its time: what is measured
 * should be the clients. Plain and over TLS, each on a port of its own. Its argument is the number of devices.
 */
const hubs = new Map([
  ['primary', new FastHub('primary')],
  ['secondary', new FastHub('secondary')],
]);
let latencyMs = 0;
let lastRequestAt = 0;
let trackingNumber = 0;

/** After this long without a request a hub does its deferred work. */
const IDLE_MS = 20;
const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
};

const portSchema = z.object({ port: z.number() });
/** All that is in a message is done, and answered with the hubs' counts. */
const commandSchema = z.object({
  latencyMs: z.number().optional(),
  clear: z.boolean().optional(),
  /** Plain rows of other devices to be put into `secondary`. */
  strangers: z.number().optional(),
});

const seeded = fill(Number(process.argv[2]));
const certificate = await makeCertificate();
const connect = (socket: Socket): void => serveConnection(socket, serve, () => latencyMs);
const servers = [
  createServer({ noDelay: true }, connect),
  createTlsServer({ ...certificate, noDelay: true, ALPNProtocols: ['http/1.1'] }, connect),
];
for (const server of servers) server.listen(0, '127.0.0.1');
await Promise.all(servers.map((server) => once(server, 'listening')));
const [port, tlsPort] = servers.map((server) => portSchema.parse(server.address()).port);
settleWhenIdle();
process.on('message', (message) => process.send?.(obey(message)));
process.once('disconnect', () => process.exit(0));
process.send?.({
  url: `http://127.0.0.1:${port}`,
  tlsUrl: `https://127.0.0.1:${tlsPort}`,
  certificate: certificate.cert,
  ...seeded,
});

function fill(devices: number): { readonly rowCount: number; readonly writeCount: number } {
  let [rowCount, writeCount] = [0, 0];
  for (const rows of deviceBatches(devices)) {
    for (const { id, xml } of rows) hubs.get('primary')?.seed(id, xml);
    rowCount += rows.length;
    writeCount += writesFor(rows).length;
  }
  return { rowCount, writeCount };
}

function obey(message: unknown): object {
  const command = commandSchema.parse(message);
  latencyMs = command.latencyMs ?? latencyMs;
  if (command.clear) hubs.set('secondary', new FastHub('secondary'));
  for (let index = 0; index < (command.strangers ?? 0); index += 1) {
    const token = sha256Of(`stranger ${index}`).toUpperCase();
    hubs.get('secondary')?.seed(`${index}-77-1`, strangerOf(`${index}-77-1`, token));
  }
  return Object.fromEntries([...hubs].map(([name, hub]) => [name, hub.stats()]));
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function strangerOf(id: string, token: string): string {
  const namespaces =
    'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"';
  return `<AppleRegistrationDescription ${namespaces}><ETag>1</ETag><ExpirationTime>9999-12-31T23:59:59.9999999Z</ExpirationTime><RegistrationId>${id}</RegistrationId><Tags>en-GB,news,of-${id},sports</Tags><DeviceToken>${token}</DeviceToken></AppleRegistrationDescription>`;
}

function serve({ method, target, headers, body }: WireRequest): WireAnswer {
  lastRequestAt = performance.now();
  const isSigned = headers.get('authorization')?.startsWith('SharedAccessSignature ') ?? false;
  const [path = ''] = target.split('?', 1);
  const [, hubName = '', resource = '', key = ''] = path.split('/');
  const hub = hubs.get(hubName);
  if (hub === undefined || !isSigned) return toWire({ status: isSigned ? 404 : 401 });
  const route = {
    method,
    resource: resource.toLowerCase(),
    key: decodeURIComponent(key),
    origin: `http://${headers.get('host')}`,
    path,
    query: target.slice(path.length),
  };
  return toWire(hub.answer(route, body));
}

function toWire({ status, headers = '', body = '' }: Answer): WireAnswer {
  trackingNumber += 1;
  const trackingId = `00000000-0000-4000-8000-${trackingNumber.toString(16).padStart(12, '0')}`;
  const head = `HTTP/1.1 ${status} ${reasons[status]}\r\n${headers}Server: Microsoft-HTTPAPI/2.0\r\nStrict-Transport-Security: max-age=2592000\r\nTrackingId: ${trackingId}\r\nx-ms-correlation-request-id: ${trackingId}\r\nDate: ${new Date().toUTCString()}\r\n`;
  return { head, body };
}

/**
 * Does the deferred work while no request comes or, with a latency, while all that came wait anyhow. A request that
 * comes meanwhile waits for one installation at most, some 20 us.
 */
function settleWhenIdle(): void {
  const isIdle = latencyMs > 0 || performance.now() - lastRequestAt > IDLE_MS;
  if (isIdle && [...hubs.values()].some((hub) => hub.settle())) setImmediate(settleWhenIdle);
  else setTimeout(settleWhenIdle, IDLE_MS);
}
