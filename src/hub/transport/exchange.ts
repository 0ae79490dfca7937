import { type Dispatcher, errors } from 'undici';
import type { Sockets } from './sockets.ts';

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
  /** The exchange ends after this time, whatever has come by then. */
  readonly totalMs?: number;
  /** Called once it is sent, with what ends it. */
  readonly onSent?: ((end: (error: Error) => void) => void) | undefined;
}

/** The beginning of an answer, before its body. */
export type RawHead = Pick<RawAnswer, 'status' | 'headers'>;

/**
 * Sends one request and gives its whole answer. By `dispatch`, since the streams of undici's `request` cost as much again
 * as all the rest of a PUT. Rejects with undici's or the network's error.
 */
export function exchange(
  sockets: Sockets,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
  onHead?: (head: RawHead) => void,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = sockets.take();
    const onOver = () => sockets.giveBack(socket);
    socket.dispatch(request, new Receiver(limits, { onHead, onOver, resolve, reject }));
  });
}

interface Listeners {
  readonly onHead: ((head: RawHead) => void) | undefined;
  /** The socket is free again: not before a call that was given up while it connected has ended. */
  readonly onOver: () => void;
  readonly resolve: (answer: RawAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Undici calls it as the answer comes. A class, since making five functions for each call takes 3 us. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #listeners: Listeners;
  readonly #total: ReturnType<typeof limitTotal> | undefined;
  readonly #chunks: Uint8Array[] = [];
  #head: RawHead = { status: 0, headers: {} };
  #cutOffAt = Number.POSITIVE_INFINITY;

  constructor(limits: ExchangeLimits, listeners: Listeners) {
    this.#limits = limits;
    this.#listeners = listeners;
    this.#total = limits.totalMs === undefined ? undefined : limitTotal(limits.totalMs, listeners.reject);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#total?.watch(controller);
    this.#limits.onSent?.((error) => controller.abort(error));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: RawAnswer['headers']): void {
    this.#head = { status, headers };
    this.#listeners.onHead?.(this.#head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    // A body that trickles in is never silent, so the time is checked with each chunk: a timer per body would cost more.
    const now = performance.now();
    if (this.#cutOffAt === Number.POSITIVE_INFINITY) this.#cutOffAt = now + this.#limits.bodyTimeoutMs;
    else if (now >= this.#cutOffAt) controller.abort(new errors.BodyTimeoutError());
    if (this.#limits.isBodyWanted(this.#head.status)) this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#total?.stop();
    this.#listeners.onOver();
    const { status, headers } = this.#head;
    const [first = NOTHING] = this.#chunks;
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    this.#listeners.resolve({ status, headers, body });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#total?.stop();
    this.#listeners.onOver();
    this.#listeners.reject(error);
  }
}

/** Rejects when the time is over. A request that still waits for its connection then is aborted once it has one. */
function limitTotal(totalMs: number, reject: (error: Error) => void) {
  let controller: Dispatcher.DispatchController | undefined;
  let late: Error | undefined;
  const timer = setTimeout(() => {
    late = new errors.HeadersTimeoutError();
    reject(late);
    controller?.abort(late);
  }, totalMs);
  return {
    watch(started: Dispatcher.DispatchController): void {
      controller = started;
      if (late !== undefined) started.abort(late);
    },
    stop: () => clearTimeout(timer),
  };
}

const NOTHING = new Uint8Array(0);
