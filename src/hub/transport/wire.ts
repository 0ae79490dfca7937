import type { Clock } from '../../core/ports.ts';
import type { HubConnection } from '../access/connection-string.ts';
import { createSas } from '../access/sas.ts';
import { isTextNeeded, judgeAnswer, type Operation, type Verdict } from './answer.ts';
import { type ExchangeLimits, exchange, type RawAnswer, type RawHead } from './exchange.ts';
import type { HubAnswer, HubHead, HubRequest } from './request.ts';
import { openSockets, type Sockets } from './sockets.ts';

export interface WireOptions {
  readonly clock: Clock;
  /** How long the hub may take to begin an answer, to send it, and be silent meanwhile: a deadline may be overrun by it. */
  readonly requestTimeoutMs?: number;
  /** A certificate in PEM to trust in place of the public authorities: of a hub on this machine. */
  readonly trustedCertificate?: string;
}

/** What requests are signed and sent with. */
export interface Opened {
  readonly connection: HubConnection;
  readonly authorization: () => string;
  readonly sockets: Sockets;
}

export const API_VERSION = '2020-06';
const REQUEST_TIMEOUT_MS = 30_000;

/** Requests to one hub as they go over the connection, and what its answers mean: one try each. */
export class Wire {
  readonly #options: WireOptions;
  readonly #hubPath: string;
  readonly #requestTimeoutMs: number;
  readonly #reading: ExchangeLimits;
  readonly #writing: ExchangeLimits;
  #sockets: Sockets | undefined;
  /** What the hub is asked in. */
  apiVersion = API_VERSION;

  constructor(hubName: string, options: WireOptions) {
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.#options = options;
    this.#hubPath = `/${encodeURIComponent(hubName)}`;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#reading = { bodyTimeoutMs: requestTimeoutMs, isBodyWanted: () => true };
    this.#writing = { bodyTimeoutMs: requestTimeoutMs, isBodyWanted: (status) => status >= 300 };
  }

  /** With the key of this connection. */
  open(connection: HubConnection): Opened {
    const { clock, trustedCertificate } = this.#options;
    this.#sockets ??= openSockets(connection.endpoint, trustedCertificate, this.#requestTimeoutMs);
    return { connection, authorization: createSas(connection, clock.now), sockets: this.#sockets };
  }

  async close(): Promise<void> {
    await this.#sockets?.close();
  }

  /** Rejects when no answer came. `onSent` gets what ends the wait for it. */
  async send(
    { sockets, authorization }: Opened,
    request: HubRequest,
    deadlineAt: number,
    onSent: ExchangeLimits['onSent'],
  ): Promise<HubAnswer> {
    const { method, path, query, contentType, ifMatch, body: content, onHead, readsAnswer } = request;
    const headers = ['authorization', authorization(), 'x-ms-version', this.apiVersion];
    if (contentType !== undefined) headers.push('content-type', contentType);
    if (ifMatch !== undefined) headers.push('if-match', `"${ifMatch}"`);
    const common = method === 'GET' || readsAnswer ? this.#reading : this.#writing;
    const limits = onSent === undefined ? common : { ...common, onSent };
    const totalMs = Math.max(1, deadlineAt - this.#options.clock.now());
    const raw = await exchange(
      sockets,
      {
        method,
        path: `${this.#hubPath}/${path}?api-version=${this.apiVersion}${query ? `&${query}` : ''}`,
        headers,
        body: content ?? null,
        // It would keep the next call off the connection until this one's answer has begun. There is none, and waking
        // the connection for it costs several microseconds a call.
        blocking: false,
      },
      request.isCutOff ? { ...limits, totalMs } : limits,
      onHead && ((head) => this.#tellHead(request, head)),
    );
    return this.#toAnswer(request, raw);
  }

  #toAnswer({ operation }: HubRequest, raw: RawAnswer): HubAnswer {
    const { status, body } = raw;
    const header = headerOf(raw);
    // For looking at only, so that bytes which are no text do no harm.
    const detail = isTextNeeded(status) ? Buffer.from(body).toString() : '';
    return { status, body, header, verdict: this.#judge(operation, status, header, detail), isRetried: false };
  }

  #tellHead({ operation, onHead }: HubRequest, head: RawHead): void {
    const header = headerOf(head);
    if (this.#judge(operation, head.status, header, '').kind === 'ok') onHead?.({ header });
  }

  #judge(operation: Operation, status: number, header: HubHead['header'], detail: string): Verdict {
    const retryAfter = header('retry-after');
    // An instant the hub names is by its own clock. Without one, parsing the date would cost microseconds for nothing.
    const hubNow = retryAfter === undefined ? undefined : Date.parse(header('date') ?? '');
    return judgeAnswer(operation, { status, retryAfter, detail }, hubNow || this.#options.clock.now());
  }
}

function headerOf({ headers }: Pick<RawHead, 'headers'>): HubHead['header'] {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
}
