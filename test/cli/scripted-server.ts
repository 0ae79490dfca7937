import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object goes out as JSON. */
  readonly body?: unknown;
  /** Cuts the connection instead. */
  readonly isReset?: boolean;
}

export interface ReceivedCall {
  /** Such as `POST /api/restores`. */
  readonly call: string;
  readonly key: string | undefined;
  readonly accept: string | undefined;
  /** `x-requested-by` as it was sent. */
  readonly requestedBy: string | string[] | undefined;
  readonly body: unknown;
}

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedCall[];
}

/** Answers each call from its list in turn, then the last one each time. A `*` in a call stands for one path segment. */
export async function startScriptedServer(
  script: Readonly<Record<string, readonly ScriptedAnswer[]>>,
): Promise<ScriptedServer> {
  const received: ReceivedCall[] = [];
  const turns = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const call = `${request.method} ${request.url}`;
    const body = await text(request);
    const key = request.headers['x-functions-key'];
    received.push({
      call,
      key: String(key),
      accept: request.headers.accept,
      requestedBy: request.headers['x-requested-by'],
      body: body === '' ? undefined : JSON.parse(body),
    });
    const [name = '', answers = []] = Object.entries(script).find(([pattern]) => matches(pattern, call)) ?? [];
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    const answer = answers[Math.min(turn, answers.length - 1)] ?? { status: 404 };
    if (answer.isReset) {
      request.socket.destroy();
      return;
    }
    const isText = typeof answer.body === 'string' || answer.body === undefined;
    response.writeHead(answer.status ?? 200, {
      'content-type': isText ? 'text/plain' : 'application/json',
      ...answer.headers,
    });
    response.end(isText ? answer.body : JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function refusal(status: number, code: string, message: string): ScriptedAnswer {
  return { status, headers: { 'x-ms-error-code': code }, body: { error: { code, message } } };
}

function matches(pattern: string, call: string): boolean {
  const wanted = pattern.split('/');
  const parts = call.split('/');
  return wanted.length === parts.length && wanted.every((part, at) => part === '*' || part === parts[at]);
}
