import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HubRequest, type HubResponse, toHubRequest } from './http-types.ts';
import type { Namespace } from './namespace.ts';
import { answer } from './routes.ts';

/** What a fault does to one request; with neither status nor reset it only delays. */
export interface Interception {
  /** `before` (default): the request is not carried out. `after`: it is, and the client is told otherwise. */
  readonly when?: 'before' | 'after';
  readonly delayMs?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Destroys the connection without an answer. */
  readonly reset?: boolean;
}

/** Called for every request of a namespace; undefined lets it pass. */
export type Intercept = (request: HubRequest) => Interception | undefined;

const bodyLimitBytes = 1024 * 1024;

/** The HTTP face of one namespace on its own loopback port, so that taking it down refuses connections for real. */
export class NamespaceServer {
  readonly namespace: Namespace;
  latencyMs: number;
  intercept: Intercept | undefined;
  #server: Server | undefined;
  #port: number;

  constructor(namespace: Namespace, port: number, latencyMs: number) {
    this.namespace = namespace;
    this.#port = port;
    this.latencyMs = latencyMs;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after the first time on the same port again. Rejects when the port is taken. */
  async up(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch((error: unknown) => {
        // Only the emulator's own faults and broken connections come here; the client gets what a crashed server gives.
        if (!incoming.destroyed) process.emitWarning(error instanceof Error ? error : String(error));
        outgoing.destroy();
      });
    });
    this.#port = await listen(server, this.#port);
    this.#server = server;
  }

  /** Stops listening and destroys every connection. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    if (this.latencyMs > 0) await sleep(this.latencyMs);
    if (body === undefined) {
      write(outgoing, { status: 413 }, 2022);
      return;
    }
    const request = toHubRequest(incoming.method ?? 'GET', incoming.url ?? '/', singleHeaders(incoming), body);
    const generation = this.namespace.hub(request.segments[0] ?? '')?.switches.generation ?? 2022;
    const fault = this.intercept?.(request);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    const isReplaced = fault?.status !== undefined || fault?.reset === true;
    const response = isReplaced && fault.when !== 'after' ? undefined : answer(this.namespace, request);
    if (fault?.reset === true) outgoing.destroy();
    else if (fault?.status !== undefined) write(outgoing, faultResponse(fault, fault.status), generation);
    else if (response !== undefined) write(outgoing, response, generation);
  }
}

/** Listens on loopback; gives the port. */
export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** Undefined when the body is larger than the service takes. */
export async function readBody(incoming: IncomingMessage, limitBytes = bodyLimitBytes): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes <= limitBytes) chunks.push(bytes);
  }
  return sizeBytes > limitBytes ? undefined : Buffer.concat(chunks).toString();
}

function singleHeaders(incoming: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

let trackingNumber = 0;

function write(outgoing: ServerResponse, { status, headers, body = '' }: HubResponse, generation: number): void {
  trackingNumber += 1;
  const trackingId = `00000000-0000-4000-8000-${trackingNumber.toString(16).padStart(12, '0')}`;
  const isWhole = typeof body === 'string';
  outgoing.writeHead(status, {
    Server: generation === 2022 ? 'Microsoft-HTTPAPI/2.0' : 'Kestrel',
    'Strict-Transport-Security': 'max-age=2592000',
    TrackingId: trackingId,
    'x-ms-correlation-request-id': trackingId,
    ...(isWhole && status !== 204 ? { 'Content-Length': Buffer.byteLength(body) } : {}),
    ...headers,
  });
  if (!isWhole) for (const part of body) outgoing.write(part);
  outgoing.end(isWhole ? body : undefined);
}

function faultResponse({ headers = {}, body = '' }: Interception, status: number): HubResponse {
  return { status, headers, body };
}
