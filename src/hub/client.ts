import { type Dispatcher, Pool } from 'undici';
import { DrError } from '../core/errors.ts';
import type { CallOptions, Clock, Hub, WriteOutcome } from '../core/ports.ts';
import { judgeAnswer, type Operation, type Verdict } from './answer.ts';
import type { HubConnection } from './connection-string.ts';
import type { Limiter } from './limiter.ts';
import { readPage } from './page.ts';
import { createSas } from './sas.ts';

export interface HubClientOptions {
  readonly connection: HubConnection;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
}

/** A hub over HTTP. `close` ends its connections. */
export type HubClient = Hub & { close(): Promise<void> };

const API_VERSION = '2020-06';
/** One request may overrun a step's deadline by at most this. */
const REQUEST_TIMEOUT_MS = 30_000;
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 15_000;
const PAGE_SIZE = 100;

interface Request {
  readonly operation: Operation;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Below the hub, without a leading slash, with its own query if any. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly verdict: Verdict;
}

/** Our own thin client for the hot paths; what the SDK would lose or cost there is in docs/decisions. */
export function createHub(options: HubClientOptions): HubClient {
  const { connection, limiter, clock, random } = options;
  const pool = new Pool(connection.endpoint.origin, {
    connections: 128,
    pipelining: 1,
    connect: { timeout: 10_000 },
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: REQUEST_TIMEOUT_MS,
  });
  const token = createSas(connection, () => clock.now());
  const where = `hub ${connection.ref.namespace}/${connection.ref.hub}`;

  const send = async (request: Request): Promise<Answer> => {
    const [path, query] = request.path.split('?');
    const response = await pool.request({
      method: request.method,
      path: `/${encodeURIComponent(connection.hubName)}/${path}?api-version=${API_VERSION}${query ? `&${query}` : ''}`,
      headers: {
        authorization: token(),
        'x-ms-version': API_VERSION,
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      },
      body: request.body ?? null,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    } satisfies Dispatcher.RequestOptions);
    const body = await response.body.text();
    const retryAfter = headerOf(response.headers, 'retry-after');
    const verdict = judgeAnswer(request.operation, response.statusCode, retryAfter, body, clock.now());
    return { status: response.statusCode, headers: response.headers, body, verdict };
  };

  /** One attempt through the limiter. An answer, or what made the connection fail. */
  const attempt = async (request: Request, deadlineAt: number): Promise<Answer | { failure: string }> => {
    if (!(await limiter.enter(deadlineAt))) return { failure: 'no answer before the time of the step was up' };
    try {
      const answer = await send(request);
      const throttled = answer.verdict.kind === 'throttled' ? answer.verdict : undefined;
      const outcome = throttled ? 'throttled' : answer.verdict.kind === 'transient' ? 'failed' : 'ok';
      limiter.leave(outcome, throttled?.retryAfterMs);
      return answer;
    } catch (error) {
      // A connection that failed: whether the hub did the write is unknown, and every write here may be repeated.
      limiter.leave('failed');
      return { failure: connectionFault(error) };
    }
  };

  /** Retries throttling and transient faults until the deadline; 401 once, since a key may be mid-rotation. */
  const call = async (request: Request, { deadlineAt }: CallOptions): Promise<Answer> => {
    for (let tries = 0; ; tries++) {
      const answer = await attempt(request, deadlineAt);
      let seen: string;
      let waitMs = backOffMs(tries, random());
      if ('failure' in answer) seen = answer.failure;
      else if (answer.verdict.kind === 'throttled') {
        seen = `status ${answer.status} (throttled)`;
        waitMs = 0; // The limiter makes everybody wait.
      } else if (answer.verdict.kind === 'transient') {
        seen = `status ${answer.status}`;
        waitMs = answer.verdict.retryAfterMs ?? waitMs;
      } else return answer;
      if (clock.now() + waitMs >= deadlineAt) {
        throw new DrError('HubUnavailable', `The ${where} did not serve the call in time; last seen: ${seen}.`, {
          retryable: true,
          target: where,
        });
      }
      if (waitMs > 0) await clock.sleep(waitMs);
    }
  };

  const refuse = (verdict: Verdict['kind'], status: number): DrError => {
    switch (verdict) {
      case 'unauthorized':
        return new DrError(
          'HubUnauthorized',
          `The ${where} does not accept the access key (401). Put the current connection string into the settings.`,
          { target: where },
        );
      case 'forbidden':
        return new DrError(
          'HubForbidden',
          `The ${where} forbids the call (403). The access policy needs the Manage right, and the tier must allow it.`,
          { target: where },
        );
      case 'quotaExceeded':
        return new DrError(
          'QuotaExceeded',
          `The ${where} takes no more devices (403, quota). Raise its tier or empty other hubs of the namespace, then restore again.`,
          { target: where },
        );
      case 'notFound':
        return new DrError('HubNotFound', `The ${where} does not exist (404). Check the hub name setting.`, {
          target: where,
        });
      default:
        return new DrError('HubMisbehaves', `The ${where} answered ${status}, which the call cannot mean.`, {
          target: where,
        });
    }
  };

  const toOutcome = ({ verdict, status }: Answer): WriteOutcome => {
    if (verdict.kind === 'ok') return { kind: 'written' };
    if (verdict.kind === 'idRefused') return { kind: 'idRefused', status };
    if (verdict.kind === 'rejected') return { kind: 'rejected', status, reason: verdict.reason };
    throw refuse(verdict.kind, status);
  };

  const listPage: Hub['listPage'] = async (pageToken, call_) => {
    const next = pageToken === undefined ? '' : `&continuationtoken=${pageToken}`;
    const operation = pageToken === undefined ? 'list' : 'listOn';
    for (;;) {
      const answer = await call({ operation, method: 'GET', path: `registrations?$top=${PAGE_SIZE}${next}` }, call_);
      if (answer.verdict.kind === 'tokenLost') return 'tokenLost';
      if (answer.verdict.kind !== 'ok') throw refuse(answer.verdict.kind, answer.status);
      try {
        const nextToken = headerOf(answer.headers, 'x-ms-continuationtoken');
        return { rows: readPage(answer.body), nextToken: nextToken || undefined };
      } catch (error) {
        // A page that arrived damaged is asked for again while there is time.
        if (!(error instanceof DrError && error.retryable) || clock.now() >= call_.deadlineAt) throw error;
        await clock.sleep(Math.min(FIRST_RETRY_MS, Math.max(0, call_.deadlineAt - clock.now())));
      }
    }
  };

  const createRegistrationId: Hub['createRegistrationId'] = async (call_) => {
    const request = { operation: 'newRegistrationId', method: 'POST', path: 'registrationIDs' } as const;
    const answer = await call({ ...request, contentType: 'application/atom+xml;type=entry;charset=utf-8' }, call_);
    if (answer.verdict.kind !== 'ok') throw refuse(answer.verdict.kind, answer.status);
    const location = headerOf(answer.headers, 'location') ?? headerOf(answer.headers, 'content-location') ?? '';
    const id = location.split('?')[0]?.split('/').at(-1);
    if (!id) throw new DrError('HubMisbehaves', `The ${where} gave a registration id without saying which.`);
    return decodeURIComponent(id);
  };

  return {
    ref: connection.ref,
    listPage,
    createRegistrationId,
    async putRegistration(id, xml, call_) {
      return toOutcome(
        await call(
          {
            operation: 'putRegistration',
            method: 'PUT',
            path: `registrations/${encodeURIComponent(id)}`,
            contentType: 'application/atom+xml;type=entry;charset=utf-8',
            body: `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${xml}</content></entry>`,
          },
          call_,
        ),
      );
    },
    async putInstallation(id, json, call_) {
      const path = `installations/${encodeURIComponent(id)}`;
      const contentType = 'application/json;charset=utf-8';
      return toOutcome(
        await call({ operation: 'putInstallation', method: 'PUT', path, contentType, body: json }, call_),
      );
    },
    async probe(call_) {
      const startedAt = clock.now();
      await listPage(undefined, call_);
      const latencyMs = clock.now() - startedAt;
      await createRegistrationId(call_);
      // Only Standard has a feedback container; the others answer 403 (service-facts section 4).
      const feature = await call({ operation: 'feature', method: 'GET', path: 'feedbackcontainer' }, call_);
      const tier =
        feature.verdict.kind === 'ok' ? 'Standard' : feature.status === 403 ? 'BasicOrFree' : ('unknown' as const);
      return { tier, latencyMs };
    },
    pace: () => limiter.pace(),
    close: () => pool.close(),
  };
}

/** Capped exponential back-off with full jitter. */
function backOffMs(tries: number, random: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** tries) * (0.5 + random / 2);
}

function headerOf(headers: Answer['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The code of a network fault (`ECONNREFUSED`, `UND_ERR_SOCKET`, …), never its text. */
function connectionFault(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'connection failed';
}
