/** Runs work after a delay, strictly in the order it was pushed: a later push never overtakes an earlier one. */
export class DelayedQueue {
  readonly #items: { readonly dueAt: number; readonly run: () => void }[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** With no delay and nothing waiting, `run` is called before this returns. */
  push(delayMs: number, run: () => void): void {
    if (delayMs <= 0 && this.length === 0) {
      run();
      return;
    }
    const dueAt = Math.max(performance.now() + delayMs, this.#items.at(-1)?.dueAt ?? 0);
    this.#items.push({ dueAt, run });
    this.#arm();
  }

  /** Runs all that waits, now. */
  flush(): void {
    this.#runUntil(Number.POSITIVE_INFINITY);
  }

  #arm(): void {
    const next = this.#items[this.#head];
    if (this.#timer !== undefined || next === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#runUntil(performance.now());
        this.#arm();
      },
      Math.max(0, next.dueAt - performance.now()),
    );
    this.#timer.unref();
  }

  #runUntil(now: number): void {
    for (let next = this.#items[this.#head]; next !== undefined && next.dueAt <= now; next = this.#items[this.#head]) {
      this.#head += 1;
      next.run();
    }
    if (this.length === 0) this.#items.length = 0;
    else if (this.#head > 10_000) this.#items.splice(0, this.#head);
    else return;
    this.#head = 0;
  }
}
