/**
 * Ends with the work, or with a `TimeoutError` when the time is over, whatever the work does with its signal: what is
 * left of it then ends unheard. No timer and nothing of the result is kept once the work has ended.
 */
export async function within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new DOMException('The time for the call is over.', 'TimeoutError');
    controller.abort(error);
    reject(error);
  }, limitMs).unref();
  try {
    return await Promise.race([work(controller.signal), over]);
  } finally {
    clearTimeout(timer);
  }
}
