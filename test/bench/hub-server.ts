import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Answer, BenchHub } from './bench-hub.ts';
import { deviceBatches } from './workload.ts';

/**
 * The hubs `primary` (full) and `secondary` (empty) for peers, ceilings and the app alike, as a process of its own that
 * is told what to do by messages. Answers have the bytes of the emulator's, but cost a fraction of its time: what is
 * measured should be the clients.
 */
const { values } = parseArgs({
  options: {
    devices: { type: 'string' },
    seed: { type: 'string', default: '1' },
    /** File that gets every PUT of a restore, one JSON object a line. */
    writes: { type: 'string' },
  },
});

const hubs = new Map([
  ['primary', new BenchHub('primary')],
  ['secondary', new BenchHub('secondary')],
]);
let latencyMs = 0;

const commandSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('latency'), latencyMs: z.number() }),
  z.object({ kind: z.literal('clear') }),
  z.object({ kind: z.literal('stats') }),
]);

await main();

async function main(): Promise<void> {
  const seeded = await fill();
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const port = await listen(server);
  process.on('message', (message) => process.send?.(obey(message)));
  process.once('disconnect', () => process.exit(0));
  process.send?.({ url: `http://127.0.0.1:${port}`, ...seeded });
}

async function fill(): Promise<{ readonly rowCount: number; readonly writeCount: number }> {
  const file = createWriteStream(values.writes ?? '/dev/null');
  let [rowCount, writeCount] = [0, 0];
  for (const { rows, writes } of deviceBatches(Number(values.devices), Number(values.seed))) {
    for (const { id, xml } of rows) hubs.get('primary')?.seed(id, xml);
    rowCount += rows.length;
    writeCount += writes.length;
    if (!file.write(writes.map((write) => `${JSON.stringify(write)}\n`).join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  return { rowCount, writeCount };
}

function obey(message: unknown): object {
  const command = commandSchema.parse(message);
  switch (command.kind) {
    case 'latency':
      latencyMs = command.latencyMs;
      return {};
    case 'clear':
      hubs.set('secondary', new BenchHub('secondary'));
      return {};
    case 'stats':
      return Object.fromEntries([...hubs].map(([name, hub]) => [name, hub.stats()]));
    default:
      return command satisfies never;
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (latencyMs > 0) await sleep(latencyMs);
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
  const [, hubName = '', ...path] = url.pathname.split('/');
  const hub = hubs.get(hubName);
  const isSigned = request.headers.authorization?.startsWith('SharedAccessSignature ') ?? false;
  if (!isSigned || hub === undefined) {
    write(response, { status: isSigned ? 404 : 401 });
    return;
  }
  const key = decodeURIComponent(path[1] ?? '');
  const route = { method: request.method ?? 'GET', resource: path[0]?.toLowerCase() ?? '', key, url };
  write(response, hub.answer(route, Buffer.concat(chunks).toString()));
}

let trackingNumber = 0;

function write(response: ServerResponse, { status, headers = {}, body = Buffer.alloc(0) }: Answer): void {
  trackingNumber += 1;
  const trackingId = `00000000-0000-4000-8000-${trackingNumber.toString(16).padStart(12, '0')}`;
  response.writeHead(status, {
    Server: 'Microsoft-HTTPAPI/2.0',
    'Strict-Transport-Security': 'max-age=2592000',
    TrackingId: trackingId,
    'x-ms-correlation-request-id': trackingId,
    'Content-Length': body.length,
    ...headers,
  });
  response.end(body);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}
