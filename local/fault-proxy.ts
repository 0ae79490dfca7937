import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { createProxyRules, type Fault, type ProxyRules } from './proxy-rules.ts';

export type { Fault } from './proxy-rules.ts';

export interface FaultProxy extends AsyncDisposable {
  /** Replaces the server's own address. */
  readonly url: string;
  /** `METHOD path?query` of the last requests, oldest first, at most 10,000. */
  readonly requests: readonly string[];
  /** The next request of this method meets the fault; several calls queue up. `then` runs once the server has acted. */
  fail(method: string, fault: Fault, then?: () => Promise<unknown>): void;
}

export interface FaultProxyOptions {
  /** Applied where `fail` was not called; shared with other proxies, which the rules tell apart by `service`. */
  readonly rules?: ProxyRules;
  readonly service?: string;
}

interface Planned {
  readonly method: string;
  readonly fault: Fault;
  readonly then?: (() => Promise<unknown>) | undefined;
}

const MAX_REQUESTS_NOTED = 10_000;

/** A proxy on 127.0.0.1 before the HTTP server at `target` that fails on command, or by rules and chance. */
export async function startFaultProxy(target: string, options: FaultProxyOptions = {}): Promise<FaultProxy> {
  const { rules = createProxyRules(), service = '' } = options;
  const { origin, pathname } = new URL(target);
  const planned: Planned[] = [];
  const requests: string[] = [];
  const freshPaths = new Set<string>();
  const choose = (incoming: IncomingMessage): Planned | undefined => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const index = planned.findIndex((plan) => plan.method === method);
    if (index >= 0) return planned.splice(index, 1)[0];
    const isFreshlyWritten = freshPaths.has(path);
    if (method === 'GET') freshPaths.delete(path);
    const fault = rules.decide({ service, method, path, headers, isFreshlyWritten });
    return fault === undefined ? undefined : { method, fault };
  };
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (requests.length > MAX_REQUESTS_NOTED) requests.shift();
    const plan = choose(incoming);
    serve(origin, incoming, outgoing, plan)
      .then((status) => {
        if (incoming.method === 'PUT' && status === 201) freshPaths.add(incoming.url ?? '/');
      })
      .catch(() => incoming.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${address.port}${pathname}`,
    requests,
    fail: (method, fault, then) => void planned.push({ method, fault, then }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The status the server answered with; `undefined` when it was not asked. */
async function serve(
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  plan: Planned | undefined,
): Promise<number | undefined> {
  const body = await buffer(incoming);
  const fault = plan?.fault;
  if (fault === 'hang') return undefined;
  if (fault === 'reset') {
    incoming.socket.resetAndDestroy();
    return undefined;
  }
  if (typeof fault === 'object' && fault.isCarriedOut !== true) {
    refuse(outgoing, fault);
    return undefined;
  }
  const answer = await forward(origin, incoming, fault === 'flipSentByte' ? withOneBitChanged(body) : body);
  await plan?.then?.();
  if (typeof fault === 'object') refuse(outgoing, fault);
  else if (fault === 'loseAnswer') incoming.socket.destroy();
  else hand(incoming, outgoing, answer, fault);
  return answer.status;
}

function refuse(outgoing: ServerResponse, { status, code, retryAfter }: Extract<Fault, object>): void {
  outgoing.writeHead(status, {
    'x-ms-error-code': code,
    'content-type': 'application/xml',
    ...(retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` }),
  });
  outgoing.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>Injected by the proxy.</Message></Error>`);
}

function hand(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: Awaited<ReturnType<typeof forward>>,
  fault: 'cutAnswer' | 'flipByte' | 'flipSentByte' | undefined,
): void {
  outgoing.writeHead(answer.status, answer.headers);
  if (fault === 'cutAnswer') {
    outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => incoming.socket.destroy());
  } else {
    outgoing.end(fault === 'flipByte' ? withOneBitChanged(answer.body) : answer.body);
  }
}

function withOneBitChanged(body: Buffer): Buffer {
  const changed = Buffer.from(body);
  const at = changed.length >> 1;
  if (changed.length > 0) changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

async function forward(origin: string, incoming: IncomingMessage, body: Buffer) {
  const { method, headers, url } = incoming;
  const outgoing = request(new URL(url ?? '/', origin), { ...(method && { method }), headers, agent: false });
  outgoing.end(body);
  const [answer]: IncomingMessage[] = await once(outgoing, 'response');
  if (answer === undefined) throw new Error('No answer.');
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}
