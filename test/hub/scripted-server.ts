import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One answer of the script; the last is given again and again. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Breaks the connection: before anything is answered, or half way through the body. */
  readonly breaks?: 'before' | 'within';
  /** The body comes byte by byte, never silent for long and never done. */
  readonly drips?: boolean;
  readonly delayMs?: number;
}

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
}

/** A server on the loopback that gives the answers one after another, whatever is asked. */
export async function startScriptedServer(...script: readonly ScriptedAnswer[]): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const answer = script[Math.min(requests.length, script.length - 1)] ?? {};
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
      void give(answer, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function give(answer: ScriptedAnswer, response: ServerResponse): Promise<void> {
  if (answer.delayMs !== undefined) await sleep(answer.delayMs, undefined, { ref: false });
  if (answer.breaks === 'before') {
    response.destroy();
    return;
  }
  const body = Buffer.from(answer.body ?? '');
  response.writeHead(answer.status ?? 200, { 'content-length': String(body.length), ...answer.headers });
  for (let at = 0; answer.drips && at < body.length && !response.destroyed; at++) {
    response.write(body.subarray(at, at + 1));
    await sleep(20, undefined, { ref: false });
  }
  if (answer.breaks !== 'within') {
    response.end(answer.drips ? undefined : body);
    return;
  }
  response.write(body.subarray(0, body.length / 2));
  await sleep(20, undefined, { ref: false });
  response.destroy();
}
