import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
  const server = createServer((request, response) => {
    answer(request, response, routes, options).catch((error) => {
      options.log.host('error', `${request.method} ${request.url?.split('?')[0]}: ${error}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  // A method that Node does not know is one that no route has.
  return server.on('clientError', (error: Error & { readonly code?: string }, socket) => {
    const status = error.code === 'HPE_INVALID_METHOD' ? '404 Not Found' : '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });
}

/** Kestrel's limit of a request line. */
const maxRequestLine = 8192;

/** The status of a request that no function gets to see. */
function refusal({ method = '', url = '/' }: IncomingMessage): number | undefined {
  if (`${method} ${url} HTTP/1.1\r\n`.length > maxRequestLine) return 414;
  return /^[^?]*%00/.test(url) ? 400 : undefined;
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
  const host = request.headers.host ?? 'localhost';
  const text = `http://${host}${request.url ?? '/'}`;
  const refused = refusal(request);
  if (refused !== undefined) return end(response, refused);
  if (!URL.canParse(text)) return end(response, 400);
  const url = new URL(text);
  if (/^\/admin(\/|$)/i.test(url.pathname)) return answerAdmin(request, response, url, options);
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
  const granted = grantedLevel(options.keys, request.headers, url.searchParams, definition.name);
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
  const granted = grantedLevel(options.keys, request.headers, url.searchParams);
  // Known but not the master key is "forbidden" here, while a function's route says 401: ASP.NET's two paths.
  if (granted !== 'admin') return end(response, granted === 'function' ? 403 : 401);
  const path = url.pathname.toLowerCase();
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

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end();
}
