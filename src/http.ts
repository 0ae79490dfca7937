import { hash } from 'node:crypto';
import { app as functions, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import type { App } from './app/app.ts';
import { audited } from './app/stored/audit.ts';
import { appFor } from './compose.ts';
import { DrError, type ErrorCode } from './core/errors.ts';
import { type Caller, callerOf } from './core/request/caller.ts';
import { beforeQuery, type Reads, refuseUnread } from './core/request/sent.ts';

/** The one place that knows which HTTP status an error code gets. */
const statusOf: Readonly<Record<ErrorCode, number>> = {
  BadRequest: 400,
  BodyNotReceived: 400,
  UnknownField: 400,
  WrongTarget: 400,
  ConfirmationMissing: 400,
  NoGoodSnapshot: 404,
  RunNotFound: 404,
  SnapshotNotFound: 404,
  NewerRunExists: 409,
  NothingToRetry: 409,
  NothingToRollBack: 409,
  RunIdInUse: 409,
  Superseded: 409,
  SyncStopped: 409,
  AlreadyInUse: 409,
  RoleContradicted: 409,
  SnapshotKept: 409,
  StorageArchived: 409,
  SnapshotOlderThanRole: 409,
  RunNotOver: 409,
  RunInProgress: 409,
  RunTakenOver: 409,
  RunOfOlderVersion: 409,
  TargetAltersRecords: 502,
  RunStuck: 409,
  TargetIsSource: 409,
  TargetTooSmall: 409,
  SnapshotCorrupt: 422,
  SnapshotVersionUnknown: 422,
  StoredDocumentInvalid: 422,
  Internal: 500,
  ListingUnstable: 500,
  RestoreIncomplete: 500,
  SettingsInvalid: 500,
  TooManyFailures: 500,
  HubForbidden: 502,
  HubMisbehaves: 502,
  HubNotFound: 502,
  HubUnauthorized: 502,
  QuotaExceeded: 502,
  HubUnavailable: 503,
  StorageUnavailable: 503,
};

export interface Call {
  readonly app: App;
  readonly request: HttpRequest;
  /** `{id}` of the route; empty where it has none. */
  readonly id: string;
  /** Empty when none was sent. */
  readonly body: string;
  /** Who calls, as signed in or as they call themselves. */
  readonly askedBy: string | undefined;
}

/** Registers a route that needs a function key. What is not a GET changes something, and leaves an audit record. */
export function route(
  name: string,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  work: (call: Call) => Promise<HttpResponseInit>,
  reads: Reads = {},
): void {
  functions.http(name, {
    methods: [method],
    route: path,
    authLevel: 'function',
    handler: (request, context) =>
      answer(request, context, reads, (body) => {
        const caller = callerOf(request.headers, request.query);
        const askedBy = caller.principal ?? caller.name;
        const call: Call = { app: appFor(context), request, id: request.params['id'] ?? '', body, askedBy };
        return method === 'GET' ? work(call) : withRecord(name, call, caller, () => work(call));
      }),
  });
}

function withRecord(
  what: string,
  { app, request }: Call,
  caller: Caller,
  work: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  const { method, url } = request;
  const asked = { what, method, path: new URL(url).pathname, caller };
  return audited(app, asked, work, (result) => {
    if ('value' in result) return { status: result.value.status ?? 200, runId: runIdIn(result.value) };
    const code = result.error instanceof DrError ? result.error.code : 'Internal';
    return { status: statusOf[code], code };
  });
}

/** Where to watch what was started, its last part. */
function runIdIn({ headers }: HttpResponseInit): string | undefined {
  return new Headers(headers).get('operation-location')?.split('/').at(-1);
}

/** Registers a list that is read page by page, newest first. */
export function listRoute(
  name: string,
  path: string,
  list: (app: App, from?: string) => Promise<{ readonly value: readonly unknown[]; readonly next: string | undefined }>,
): void {
  const work = async ({ app, request }: Call): Promise<HttpResponseInit> => {
    const { value, next } = await list(app, request.query.get('from') ?? undefined);
    return { jsonBody: { value, nextLink: next === undefined ? undefined : nextLinkOf(request, { from: next }) } };
  };
  route(name, 'GET', path, work, { query: beforeQuery });
}

/** Does the work of a call that sent nothing else than what is read. What is thrown becomes an Azure-style error body. */
export async function answer(
  request: HttpRequest,
  context: InvocationContext,
  reads: Reads,
  work: (body: string) => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  try {
    const { method, headers, query } = request;
    const text = await request.text();
    refuseUnread({ method, headers, query, text }, reads);
    return await work(text);
  } catch (error) {
    return toErrorResponse(context, error);
  }
}

function toErrorResponse(context: Pick<InvocationContext, 'error'>, error: unknown): HttpResponseInit {
  const known = error instanceof DrError ? error : undefined;
  if (known === undefined)
    context.error(`unexpected error ${error instanceof Error ? (error.stack ?? error.name) : ''}`);
  const code = known?.code ?? 'Internal';
  const details = known?.details.length ? known.details : undefined;
  const message = known?.message ?? 'Something unexpected happened; the log of this invocation says what. Try again.';
  return {
    status: statusOf[code],
    headers: { 'x-ms-error-code': code, ...retryAfterOf(code, known) },
    // What is undefined is left out of the JSON.
    jsonBody: { error: { code, message, target: known?.target, details } },
  };
}

function retryAfterOf(code: ErrorCode, error: DrError | undefined): { 'Retry-After'?: string } {
  if (error?.retryAfterMs !== undefined) return { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1000)) };
  return statusOf[code] === 503 ? { 'Retry-After': '10' } : {};
}

/** 202 for work in progress, with where to watch it (Azure REST guidelines, long-running operations). */
export function accepted(request: HttpRequest, path: string, body: unknown, status = 202): HttpResponseInit {
  const location = new URL(path, request.url).href;
  return { status, headers: { 'Operation-Location': location, 'Retry-After': '2' }, jsonBody: body };
}

/** The address of the next page, without the key that may have been in that of this one. */
export function nextLinkOf({ url }: HttpRequest, query: Readonly<Record<string, string>>): string {
  const next = new URL(url);
  next.search = new URLSearchParams(query).toString();
  return next.href;
}

/** How long a caller may go by an answer before it asks again. */
const FRESH_SECONDS = 10;

/** An answer that callers keep: asked for again, it is sent only when it has changed. */
export function revalidated({ headers }: HttpRequest, body: unknown): HttpResponseInit {
  const etag = `"${hash('sha256', JSON.stringify(body), 'hex').slice(0, 32)}"`;
  const caching = { etag, 'cache-control': `private, max-age=${FRESH_SECONDS}` };
  if (headers.get('if-none-match') === etag) return { status: 304, headers: caching };
  return { headers: caching, jsonBody: body };
}
