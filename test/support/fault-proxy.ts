import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/**
 * What is done to one request: `loseAnswer` lets the server act on it and then cuts the connection; `cutAnswer` hands
 * on half of the answer's body; `reset` cuts before the server sees it; `hang` never answers; a number is the status
 * the proxy answers itself, with the error code.
 */
export type Fault = 'loseAnswer' | 'cutAnswer' | 'reset' | 'hang' | { readonly status: number; readonly code: string };

export interface FaultProxy extends AsyncDisposable {
  /** In place of the server's own address. */
  readonly url: string;
  /** `METHOD path?query` of every request so far. */
  readonly requests: readonly string[];
  /** The next request of this method meets the fault; several calls queue up. `then` runs once the server has acted. */
  fail(method: string, fault: Fault, then?: () => Promise<unknown>): void;
}

interface Planned {
  readonly method: string;
  readonly fault: Fault;
  readonly then: (() => Promise<unknown>) | undefined;
}

/** A proxy on 127.0.0.1 before the HTTP server at `target` that fails as it is told. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { origin, pathname } = new URL(target);
  const planned: Planned[] = [];
  const requests: string[] = [];
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    const index = planned.findIndex((plan) => plan.method === incoming.method);
    const [plan] = index < 0 ? [] : planned.splice(index, 1);
    serve(origin, incoming, outgoing, plan).catch(() => incoming.socket.destroy());
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

async function serve(
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  plan: Planned | undefined,
): Promise<void> {
  const body = await buffer(incoming);
  const fault = plan?.fault;
  if (fault === 'hang') return;
  if (fault === 'reset') return void incoming.socket.destroy();
  if (typeof fault === 'object') {
    outgoing.writeHead(fault.status, { 'x-ms-error-code': fault.code, 'content-type': 'application/xml' });
    outgoing.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>Told to.</Message></Error>`);
    return;
  }
  const answer = await forward(origin, incoming, body);
  await plan?.then?.();
  if (fault === 'loseAnswer') return void incoming.socket.destroy();
  outgoing.writeHead(answer.status, answer.headers);
  if (fault !== 'cutAnswer') return void outgoing.end(answer.body);
  outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => incoming.socket.destroy());
}

async function forward(origin: string, incoming: IncomingMessage, body: Buffer) {
  const { method, headers, url } = incoming;
  const outgoing = request(new URL(url ?? '/', origin), { ...(method && { method }), headers, agent: false });
  outgoing.end(body);
  const [answer]: IncomingMessage[] = await once(outgoing, 'response');
  if (answer === undefined) throw new Error('No answer.');
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}
