import type { App } from '../../src/app/app.ts';
import { MINUTE_MS } from './clocks.ts';
import type { Engine } from './engine.ts';
import { Died } from './hosts.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

const POLL_MS = 3000;
/** A run that takes longer than this is left to itself. */
const PATIENCE_MS = 90 * MINUTE_MS;
const TRIES = 6;
const TRY_AGAIN_MS = 10_000;

/** Calls to the app from outside, and waiting for what comes of them. */
export class Asker {
  readonly #stage: Stage;
  readonly #random: Random;

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  async rest(minutes: number): Promise<void> {
    if (minutes > 0) await this.#stage.scheduler.sleep(this.#random.below(minutes * MINUTE_MS));
  }

  /** As a person does: what may pass is asked for again, and who got no answer asks again. */
  async ask<T>(
    label: string,
    work: (app: App, engine: Engine) => Promise<T>,
    { confirm }: { readonly confirm?: string } = {},
  ): Promise<void> {
    const { scheduler, engine, oracle } = this.#stage;
    oracle.askedWith(confirm);
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const { host } = this.#stage;
      this.#stage.trace(() => `ASK ${host?.name ?? 'no process'} ${label}`);
      try {
        await host?.ask(work);
        if (host !== undefined) return;
      } catch (error) {
        const code = error instanceof engine.DrError ? error.code : 'Died';
        this.#stage.trace(() => `ANSWER ${label}: ${code}`);
        this.#stage.count(`answered ${code}`);
        if (error instanceof engine.DrError) this.#noteRefusal(label, error);
        if (error instanceof engine.DrError && !error.retryable) return;
        if (code === 'Died' && !(error instanceof Died)) oracle.violate('appThrew', `${label} ${String(error)}`);
      }
      await scheduler.sleep(TRY_AGAIN_MS);
    }
  }

  /** A sync makes way for whatever an operator asks for. */
  #noteRefusal(label: string, { code, target = '' }: { readonly code: string; readonly target?: string | undefined }) {
    const isInTheWay = code === 'RunInProgress' || code === 'RunNotOver';
    const { oracle } = this.#stage;
    if (isInTheWay && oracle.runs.get(target)?.isSync === true) oracle.refusedForASync(label, target);
  }

  async untilNewestOver(kind: 'backup' | 'restore', since: number): Promise<void> {
    const { runs } = this.#stage.oracle;
    const run = runs.all().findLast(({ doc, begunAt }) => doc.kind === kind && begunAt >= since);
    if (run !== undefined) await this.untilOver(run.id);
  }

  async untilOver(id: string): Promise<void> {
    const { scheduler, oracle } = this.#stage;
    const until = scheduler.now + PATIENCE_MS;
    while (scheduler.now < until) {
      const run = oracle.runs.get(id);
      if (run === undefined || run.endedAt !== undefined) return;
      await scheduler.sleep(POLL_MS);
    }
  }
}
