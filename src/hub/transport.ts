import { Pool } from 'undici';
import type { Clock } from '../core/ports.ts';
import { judgeAnswer, type Operation, type Verdict } from './answer.ts';
import type { HubConnection } from './connection-string.ts';
import type { Limiter } from './limiter.ts';
import { type Attempt, retry } from './retry.ts';
import { createSas } from './sas.ts';

export interface TransportOptions {
  readonly connection: HubConnection;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  /** Asked once when the hub does not accept the key: it may have been rotated. Without it a 401 is final. */
  readonly refreshConnection?: () => Promise<HubConnection>;
  /** How long one request may take, all told; a step's deadline may be overrun by this much. */
  readonly requestTimeoutMs?: number;
}

export interface HubRequest {
  readonly operation: Operation;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Below the hub, without a leading slash, each part percent-encoded. */
  readonly path: string;
  /** Without `?`; `api-version` is added. */
  readonly query?: string;
  readonly contentType?: string;
  readonly body?: string;
}

export interface HubAnswer {
  readonly status: number;
  readonly verdict: Verdict;
  readonly body: string;
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
}

/** Sends requests to one hub: paced, retried until the deadline, signed. */
export interface Transport {
  /** Every answer that is not to be tried again. Throws `HubUnavailable` (retryable) when there was none in time. */
  call(request: HubRequest, deadlineAt: number): Promise<HubAnswer>;
  close(): Promise<void>;
}

const API_VERSION = '2020-06';
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** More than any limiter lets through at once; sockets are opened as they are needed. */
const MAX_SOCKETS = 256;

export function createTransport(options: TransportOptions): Transport {
  const { limiter, clock, random, refreshConnection, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const where = `hub ${options.connection.ref.namespace}/${options.connection.ref.hub}`;
  const pool = createPool(options.connection, requestTimeoutMs);
  const hubPath = `/${encodeURIComponent(options.connection.hubName)}`;
  let authorization = createSas(options.connection, clock.now);
  let refreshing: Promise<void> | undefined;

  const send = async (request: HubRequest): Promise<HubAnswer> => {
    const {
      statusCode: status,
      headers,
      body,
    } = await pool.request({
      method: request.method,
      path: `${hubPath}/${request.path}?api-version=${API_VERSION}${request.query ? `&${request.query}` : ''}`,
      headers: {
        authorization: authorization(),
        'x-ms-version': API_VERSION,
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      },
      body: request.body ?? null,
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = decode(await body.bytes());
    const header = (name: string): string | undefined => firstOf(headers[name]);
    const answer = { status, retryAfter: header('retry-after'), detail: text };
    return { status, body: text, header, verdict: judgeAnswer(request.operation, answer, clock.now()) };
  };

  /** One attempt, counted by the limiter. */
  const attempt = async (request: HubRequest, deadlineAt: number): Promise<Attempt<HubAnswer>> => {
    const permit = await limiter.acquire(deadlineAt);
    if (permit === undefined) return { kind: 'again', waitMs: Number.POSITIVE_INFINITY };
    let answer: HubAnswer;
    try {
      answer = await send(request);
    } catch (error) {
      // Whether the hub took the write is unknown, and every call of the port may be made twice.
      permit.release('failed');
      return { kind: 'again', seen: faultCode(error) };
    }
    const { verdict, status } = answer;
    if (verdict.kind === 'throttled') {
      permit.release('throttled', verdict.retryAfterMs);
      // The limiter makes everybody wait, this call among them.
      return { kind: 'again', seen: `status ${status} (throttled)`, waitMs: 0 };
    }
    permit.release(verdict.kind === 'transient' ? 'failed' : 'accepted');
    if (verdict.kind !== 'transient') return { kind: 'done', value: answer };
    return { kind: 'again', seen: `status ${status}`, waitMs: verdict.retryAfterMs };
  };

  return {
    async call(request, deadlineAt) {
      const retried = { where, deadlineAt, clock, random };
      const answer = await retry(() => attempt(request, deadlineAt), retried);
      if (answer.verdict.kind !== 'unauthorized' || refreshConnection === undefined) return answer;
      refreshing ??= refreshConnection().then((connection) => {
        authorization = createSas(connection, clock.now);
      });
      try {
        await refreshing;
      } finally {
        refreshing = undefined;
      }
      return retry(() => attempt(request, deadlineAt), retried);
    },
    close: () => pool.close(),
  };
}

function createPool({ endpoint }: HubConnection, timeoutMs: number): Pool {
  return new Pool(endpoint.origin, {
    connections: MAX_SOCKETS,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws on bytes that are not UTF-8: a replacement character would go into the snapshot unnoticed. */
function decode(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** The code of a network fault (`ECONNREFUSED`, `UND_ERR_SOCKET`, ...), never its text, which may hold addresses. */
function faultCode(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown fault';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
