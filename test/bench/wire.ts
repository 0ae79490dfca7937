import type { Socket } from 'node:net';

/** One request as it came. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** By lower-case name; of a repeated header the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface WireAnswer {
  /** Status line and headers up to the empty line, each line ended; the length is added. */
  readonly head: string;
  readonly body: Buffer | string;
}

/**
 * Answers the requests of one connection one after the other, each after `delayMs()`: HTTP/1.1 with lengths, kept alive,
 * as far as clients of a hub use it. It exists because `node:http` takes 39 us of processor time to answer
 * 200 to anything, a plain socket 20, on cores that the measured clients need. Malformed bytes end the connection.
 */
export function serveConnection(
  socket: Socket,
  answer: (request: WireRequest) => WireAnswer,
  delayMs: () => number,
): void {
  const reader = new RequestReader();
  let late: WireRequest | undefined;
  const serve = (): void => {
    try {
      if (late !== undefined) send(socket, late, answer(late));
      late = undefined;
      for (let request = reader.next(); request !== undefined; request = reader.next()) {
        const waitMs = delayMs();
        if (waitMs > 0) {
          late = request;
          setTimeout(serve, waitMs);
          return;
        }
        send(socket, request, answer(request));
      }
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    if (late === undefined) serve();
  });
  // A client that goes away is no fault of the server; what it left undone shows in the counts.
  socket.on('error', () => {});
}

function send(socket: Socket, request: WireRequest, { head, body }: WireAnswer): void {
  const top = `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  if (typeof body === 'string') {
    socket.write(top + body);
  } else {
    socket.cork();
    socket.write(top, 'latin1');
    socket.write(body);
    socket.uncork();
  }
  if (request.headers.get('connection')?.toLowerCase() === 'close') socket.end();
}

/** Takes the bytes of one connection apart into requests. */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next request that came whole. @throws Error when the bytes are no HTTP/1.1. */
  next(): WireRequest | undefined {
    const headEnd = this.#bytes.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const head = parseHead(this.#bytes.toString('latin1', 0, headEnd));
    const length = Number(head.headers.get('content-length') ?? 0);
    const hasOtherEnd = head.headers.has('transfer-encoding') || head.headers.has('expect');
    if (hasOtherEnd || !Number.isInteger(length) || length < 0) throw new Error('The body has no known end.');
    const end = headEnd + 4 + length;
    if (end > this.#bytes.length) return undefined;
    const body = this.#bytes.subarray(headEnd + 4, end);
    this.#bytes = this.#bytes.subarray(end);
    return { ...head, body };
  }
}

function parseHead(text: string): Omit<WireRequest, 'body'> {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', target = '', version] = first.split(' ');
  if (version !== 'HTTP/1.1') throw new Error('This server speaks HTTP/1.1 only.');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error('A header has no name.');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method, target, headers };
}
