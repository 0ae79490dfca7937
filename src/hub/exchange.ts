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
  /** The exchange ends after this time, whatever has come by then. */
  readonly totalMs?: number;
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
  { bodyTimeoutMs, isBodyWanted, totalMs }: ExchangeLimits,
  onHead?: (head: RawHead) => void,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const total = totalMs === undefined ? undefined : limitTotal(totalMs, reject);
    let head: RawHead = { status: 0, headers: {} };
    let cutOffAt = Number.POSITIVE_INFINITY;
    const chunks: Uint8Array[] = [];
    dispatcher.dispatch(request, {
      onRequestStart: (controller) => total?.watch(controller),
      onResponseStart(_, status, headers) {
        head = { status, headers };
        onHead?.(head);
      },
      onResponseData(controller, chunk) {
        // A body that trickles in is never silent, so the time is checked with each chunk: a timer per body would cost more.
        const now = performance.now();
        if (cutOffAt === Number.POSITIVE_INFINITY) cutOffAt = now + bodyTimeoutMs;
        else if (now >= cutOffAt) controller.abort(new errors.BodyTimeoutError());
        if (isBodyWanted(head.status)) chunks.push(chunk);
      },
      onResponseEnd() {
        total?.stop();
        const [first = NOTHING, ...others] = chunks;
        resolve({ ...head, body: others.length === 0 ? first : Buffer.concat(chunks) });
      },
      onResponseError(_, error) {
        total?.stop();
        reject(error);
      },
    });
  });
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
