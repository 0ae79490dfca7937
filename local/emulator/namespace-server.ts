import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Damage, writeAnswer } from './answer-writer.ts';
import { decideFault, type Fault, type FaultRule } from './faults.ts';
import { type Front, type Incoming, type Outgoing, openFront, type Tls } from './front.ts';
import { type HubRequest, type HubResponse, toHubRequest } from './http-types.ts';
import type { Namespace } from './namespace.ts';
import type { PageFault } from './page-faults.ts';
import { answer, routeName } from './routes.ts';
import { invalidDescription, renderError } from './service-error.ts';

/** What a fault does to one request; without status, reset and hang the request is answered, late or damaged. */
export interface Interception extends Damage {
  /** `before` (default): the request is not carried out. `after`: it is, but the client gets the fault. */
  readonly when?: 'before' | 'after';
  readonly delayMs?: number | undefined;
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Resets the connection without an answer. */
  readonly reset?: boolean | undefined;
  /** Never answers and keeps the connection. */
  readonly hang?: boolean | undefined;
  /** What is wrong with the page, where the request is for one. */
  readonly page?: PageFault | undefined;
}

/** How a namespace is reached. */
export interface Listening {
  /** 0 (default) = a free one. */
  readonly port?: number;
  /** Added to every answer. */
  readonly latencyMs?: number;
  /** Plain HTTP when absent. */
  readonly tls?: Tls | undefined;
}

/** Called for every request of a namespace; undefined lets it pass. */
export type Intercept = (request: HubRequest) => Interception | undefined;

const bodyLimitBytes = 1024 * 1024;

/** Only that of 503 has been seen; a rule with another status shows its name. */
const faultTexts: ReadonlyMap<number, string> = new Map([
  [403, 'The request rate is too high'],
  [409, 'The request rate is too high'],
  [410, 'The registration id cannot be used. Request another one.'],
  [429, 'The request rate is too high'],
  [503, 'Server Busy'],
]);

/** The HTTP face of one namespace on its own loopback port, so that taking it down refuses connections for real. */
export class NamespaceServer {
  readonly namespace: Namespace;
  latencyMs: number;
  /** Asked before the faults. */
  intercept: Intercept | undefined;
  faults: readonly Fault[] = [];
  readonly #tls: Tls | undefined;
  #front: Front | undefined;
  #port: number;
  #hasListened = false;

  constructor(namespace: Namespace, { port = 0, latencyMs = 0, tls }: Listening) {
    this.namespace = namespace;
    this.#port = port;
    this.latencyMs = latencyMs;
    this.#tls = tls;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  /** Listens; after the first time on the same port again. Rejects when the port is taken, and stays so for 10 s if it had it. */
  async up(): Promise<void> {
    if (this.#front !== undefined) return;
    const front = openFront(this.#tls, (incoming, outgoing) => {
      this.#serve(front, incoming, outgoing).catch((error: unknown) => {
        // Only the emulator's own faults and broken connections come here; the client gets what a crashed server gives.
        if (!incoming.destroyed) process.emitWarning(error instanceof Error ? error : String(error));
        outgoing.destroy();
      });
    });
    this.#port = await (this.#hasListened ? listenAgain(front.server, this.#port) : listen(front.server, this.#port));
    this.#hasListened = true;
    this.#front = front;
  }

  /** Stops listening and destroys every connection. */
  async down(): Promise<void> {
    const front = this.#front;
    this.#front = undefined;
    if (front === undefined) return;
    const closed = new Promise<void>((resolve) => front.server.close(() => resolve()));
    front.destroyConnections();
    await closed;
  }

  async #serve(front: Front, incoming: Incoming, outgoing: Outgoing): Promise<void> {
    const body = await readBody(incoming);
    if (this.latencyMs > 0) await sleep(this.latencyMs);
    if (body === undefined) {
      await writeAnswer(outgoing, { status: 413 }, 2022);
      return;
    }
    const request = toHubRequest(incoming.method ?? 'GET', incoming.url ?? '/', singleHeaders(incoming), body);
    const generation = this.namespace.hub(request.segments[0] ?? '')?.switches.generation ?? 2022;
    const fault = this.intercept?.(request) ?? this.#nextFault(request) ?? {};
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    const { status, reset = false, hang = false, when = 'before' } = fault;
    const isReplaced = status !== undefined || reset || hang;
    const response = isReplaced && when === 'before' ? undefined : answer(this.namespace, request, fault.page);
    if (reset) front.reset(incoming);
    else if (hang) return;
    else if (status !== undefined) await writeAnswer(outgoing, faultResponse(fault, status), generation, fault);
    else if (response !== undefined) await writeAnswer(outgoing, response, generation, fault);
  }

  #nextFault(request: HubRequest): Interception | undefined {
    if (this.faults.length === 0) return undefined;
    const { faults, rule } = decideFault(this.faults, request, routeName(request));
    this.faults = faults;
    return rule === undefined ? undefined : toInterception(this.namespace, rule, request);
  }
}

/** While it was free, the system may have given the port to another program's connection, which rarely lasts. */
async function listenAgain(server: Server, port: number, tries = 100): Promise<number> {
  try {
    return await listen(server, port);
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!isTaken || tries === 0) throw error;
  }
  await sleep(100);
  return listenAgain(server, port, tries - 1);
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
export async function readBody(incoming: Readable, limitBytes = bodyLimitBytes): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes <= limitBytes) chunks.push(bytes);
  }
  return sizeBytes > limitBytes ? undefined : Buffer.concat(chunks).toString();
}

function singleHeaders({ headers }: Incoming): Record<string, string | undefined> {
  const single = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as const);
  // HTTP/2 has another name for it.
  return { host: String(headers[':authority'] ?? ''), ...Object.fromEntries(single) };
}

function faultResponse({ headers = {}, body = '' }: Interception, status: number): HubResponse {
  return { status, headers, body };
}

function toInterception(namespace: Namespace, rule: FaultRule, { method }: HubRequest): Interception {
  const { status, retryAfterSeconds, retryAfterDate } = rule;
  if (status === undefined) return rule;
  const retryAfter = retryAfterDate === undefined ? retryAfterSeconds : new Date(retryAfterDate).toUTCString();
  const headers = {
    'Content-Type': 'application/xml; charset=utf-8',
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
  };
  const badRequest = method === 'GET' ? 'The continuation token is invalid.' : invalidDescription;
  const text = status === 400 ? badRequest : (faultTexts.get(status) ?? rule.name);
  const body = rule.body ?? renderError(status, text, namespace.stamp());
  return { ...rule, headers, body };
}
