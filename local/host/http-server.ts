import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { FunctionDefinition, HttpTrigger } from './function-definition.ts';
import { readBody, readFunctionBody, toRequestData, writeResponse } from './http-data.ts';
import { byHand, type Invoker } from './invocation.ts';
import { grantedLevel, type HostKeys, isAllowed } from './keys.ts';
import type { HostLog } from './log.ts';
import { compileRoute, type Route } from './routes.ts';

export interface HttpServerOptions {
  readonly functions: readonly FunctionDefinition[];
  readonly routePrefix: string;
  readonly keys: HostKeys;
  readonly invoker: Invoker;
  readonly log: HostLog;
  readonly hostId: string;
  /** After this long the caller gets 504 while the function runs on, as behind Azure's load balancer (230 s). */
  readonly timeoutMs: number;
  /** Starts a timer or queue function by hand; `false` when there is no such function. */
  readonly fire: (functionName: string, input: string) => boolean;
}

/** Routes go in the order of `functions`, first match wins; no match, in path or in method, is 404. */
export function createHttpServer(options: HttpServerOptions): Server {
  const routes = options.functions.flatMap((definition) => compileFunction(definition, options.routePrefix));
  const server = createServer({ maxHeaderSize }, (request, response) => {
    answer(request, response, routes, options).catch((error) => {
      options.log.host('error', `${request.method} ${request.url?.split('?')[0]}: ${error}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  // Node would drop what is more without a word.
  server.maxHeadersCount = 0;
  server.keepAliveTimeout = keepAliveMs;
  return server.on('clientError', ({ code = '' }: Error & { readonly code?: string }, socket) => {
    const status = unreadable[code] ?? '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });
}

/** Kestrel's limits: of a request line and of all headers in bytes, and of headers. */
const maxRequestLine = 8192;
const maxHeaderSize = 32 * 1024;
const maxHeaders = 100;
/** Kestrel's, for a connection without a request. Node's 5 s end while a busy client sends the next one. */
const keepAliveMs = 130_000;

/** By the code of Node's error. */
const unreadable: Readonly<Record<string, string>> = {
  // A method that Node does not know is one that no route has.
  HPE_INVALID_METHOD: '404 Not Found',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** The status of a request that no function gets to see. */
function refusal({
  method = '',
  url = '/',
  rawHeaders,
  headers,
  headersDistinct,
}: IncomingMessage): number | undefined {
  if (`${method} ${url} HTTP/1.1\r\n`.length > maxRequestLine) return 414;
  if (rawHeaders.length / 2 > maxHeaders) return 431;
  // Node asks for one from HTTP/1.1 on.
  if (headers.host === undefined) return 500;
  if ((headersDistinct['host']?.length ?? 0) > 1) return 400;
  return /^[^?]*%00/.test(url) ? 400 : undefined;
}

/** The request's address, which a proxy gets in full. */
function addressOf({ url = '/', headers }: IncomingMessage): URL | undefined {
  const own = `http://${headers.host || 'localhost'}`;
  if (url.startsWith('/')) return URL.parse(`${own}${url}`) ?? undefined;
  const address = URL.parse(url);
  return address !== null && address.host === URL.parse(own)?.host ? address : undefined;
}

interface HttpFunction {
  readonly definition: FunctionDefinition;
  readonly trigger: HttpTrigger;
  readonly route: Route;
}

function compileFunction(definition: FunctionDefinition, routePrefix: string): HttpFunction[] {
  const { trigger } = definition;
  if (trigger.kind !== 'http') return [];
  const template = [routePrefix, trigger.route.replace(/^\/+/, '')].filter((part) => part !== '').join('/');
  return [{ definition, trigger, route: compileRoute(template) }];
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly HttpFunction[],
  options: HttpServerOptions,
): Promise<void> {
  const refused = refusal(request);
  if (refused !== undefined) return end(response, refused);
  const url = addressOf(request);
  if (url === undefined) return end(response, 400);
  if (/^\/admin\//i.test(url.pathname)) return answerAdmin(request, response, url, options);
  for (const candidate of routes) {
    const { methods } = candidate.trigger;
    if (methods.length > 0 && !methods.includes(request.method ?? '')) continue;
    const params = candidate.route.match(url.pathname);
    if (params !== undefined) return answerFunction(request, response, url, candidate, params, options);
  }
  end(response, 404);
}

async function answerFunction(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { definition, trigger }: HttpFunction,
  params: Readonly<Record<string, string>>,
  options: HttpServerOptions,
): Promise<void> {
  const granted = grantedLevel(options.keys, request, url.searchParams, definition.name);
  if (!isAllowed(granted, trigger.authLevel)) return end(response, 401);
  if (definition.isDisabled && granted !== 'admin') return end(response, 404);
  const body = await readFunctionBody(request);
  if (body === undefined) return end(response, 500);
  const invocation = options.invoker.invoke(definition, {
    data: { http: toRequestData(request, url, params, body) },
    reason: byHand,
  });
  const timedOut = new AbortController();
  const timeout = sleep(options.timeoutMs, undefined, { signal: timedOut.signal, ref: false }).catch(() => undefined);
  const result = await Promise.race([invocation, timeout]);
  timedOut.abort();
  if (result === undefined) end(response, 504);
  else if (result.kind === 'failed') end(response, 500);
  else writeResponse(response, result.response);
}

const adminBody = z.object({ input: z.string().nullish() });

async function answerAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  options: HttpServerOptions,
): Promise<void> {
  const path = url.pathname.toLowerCase();
  if (path === '/admin/host/ping') return end(response, 200);
  const granted = grantedLevel(options.keys, request, url.searchParams);
  // Known but not the master key is "forbidden" here, while a function's route says 401: ASP.NET's two paths.
  if (granted === 'function') return end(response, 403);
  if (granted !== 'admin') return end(response, 401, { 'www-authenticate': 'Bearer' });
  if (request.method === 'GET' && path === '/admin/host/status') {
    const status = { id: options.hostId, state: 'Running', version: '4.0.0-local' };
    const processUptime = Math.round(process.uptime() * 1000);
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify({ ...status, processUptime }));
    return;
  }
  const name = /^\/admin\/functions\/([^/]+)$/i.exec(url.pathname)?.[1];
  if (request.method !== 'POST' || name === undefined) return end(response, 404);
  const body = parseAdminBody((await readBody(request))?.toString());
  if (body === undefined) return end(response, 400);
  end(response, options.fire(name, body.input ?? '') ? 202 : 404);
}

function parseAdminBody(text: string | undefined): z.infer<typeof adminBody> | undefined {
  try {
    return adminBody.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

function end(response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(status, { ...headers, 'content-length': 0 }).end();
}
