import { type Dispatcher, errors } from 'undici';

/** What came back for one request. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty when it was not wanted. */
  readonly body: Uint8Array;
}

export interface ExchangeLimits {
  /** How long the body may take to come. Silence, and a head that does not come, are cut off by the dispatcher. */
  readonly bodyTimeoutMs: number;
  /** Whether the body of an answer is read; a body that is not read is not kept. */
  readonly isBodyWanted: (status: number) => boolean;
}

/** The beginning of an answer, before its body. */
export type RawHead = Pick<RawAnswer, 'status' | 'headers'>;

/**
 * Sends one request and gives its whole answer. By `dispatch`, since the streams of undici's `request` cost as much again
 * as all the rest of a PUT. Rejects with undici's or the network's error.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
  onHead?: (head: RawHead) => void,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Receiver(limits, onHead, resolve, reject));
  });
}

const NOTHING = new Uint8Array(0);

/** Undici calls it as the answer comes, and with nothing more once it ended or failed. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #onHead: ((head: RawHead) => void) | undefined;
  readonly #resolve: (answer: RawAnswer) => void;
  readonly #reject: (error: Error) => void;
  #status = 0;
  #headers: RawAnswer['headers'] = {};
  #isWanted = false;
  readonly #chunks: Uint8Array[] = [];
  #cutOffAt = Number.POSITIVE_INFINITY;

  constructor(
    limits: ExchangeLimits,
    onHead: ((head: RawHead) => void) | undefined,
    resolve: (answer: RawAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#limits = limits;
    this.#onHead = onHead;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Undici asks for it although there is nothing to do. */
  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: RawAnswer['headers']): void {
    this.#status = status;
    this.#headers = headers;
    this.#isWanted = this.#limits.isBodyWanted(status);
    this.#onHead?.({ status, headers });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    // A body that trickles in is never silent, so the time is checked with each chunk: a timer per body would cost more.
    const now = performance.now();
    if (this.#cutOffAt === Number.POSITIVE_INFINITY) this.#cutOffAt = now + this.#limits.bodyTimeoutMs;
    else if (now >= this.#cutOffAt) controller.abort(new errors.BodyTimeoutError());
    if (this.#isWanted) this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first = NOTHING, ...others] = this.#chunks;
    const body = others.length === 0 ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
