import type { App } from '../../../src/app/app.ts';
import type { Hub, HubRef, Log, World } from '../../../src/core/ports.ts';
import type { PairWrites } from '../../../src/redundant/pair-writes.ts';
import { testPlatform } from '../../support/platform.ts';
import { createHub, type HubParts, openCalls } from '../hub.ts';
import { HubStore, type RowChange } from '../hub-store.ts';
import { currentCaller, Net } from '../net.ts';
import { Door, drawSkew } from '../night.ts';
import { createQueuePort, type Delivery, Queue } from '../queue.ts';
import { type Random, randomOf } from '../random.ts';
import { tell } from '../row.ts';
import { Scheduler } from '../scheduler.ts';
import { Container, createBlobs } from '../storage.ts';
import type { DualEngine } from './engine.ts';
import { type DualKnobs, drawDual, LONGEST_CALL_MS } from './knobs.ts';
import { Life } from './life.ts';
import { Oracle } from './oracle.ts';
import { withStrays } from './strays.ts';

export const START_AT = Date.UTC(2026, 10, 23, 9);
const WORKERS = 2;
/** A process of the app takes this many messages at once. */
const MESSAGES = 4;

export type Backend = Life<PairWrites>;
export type Worker = Life<App>;

interface Side {
  readonly store: HubStore;
  readonly door: Door;
  readonly ref: HubRef;
  readonly port: Hub;
}

/** One seed's world: two hubs, a storage, a queue, processes of backends and of the app, and who watches them. */
export class DualStage {
  readonly seed: number;
  readonly engine: DualEngine;
  readonly drawn: DualKnobs;
  readonly scheduler: Scheduler;
  readonly container: Container;
  readonly queue: Queue;
  readonly sides: readonly [Side, Side];
  readonly backends: readonly Backend[];
  readonly workers: readonly Worker[];
  readonly oracle: Oracle;
  readonly lines: string[] = [];
  readonly sometimes = new Map<string, number>();
  readonly trace: (line: () => string) => void;
  /** No faults any more since then. */
  healedAt: number | undefined;
  readonly #until: string | undefined;
  readonly #inHand = new Map<Worker, Set<Delivery>>();
  /** Whose deed the bytes under way to the storage are part of. */
  readonly #deeds = new WeakMap<Uint8Array, string>();

  constructor(engine: DualEngine, seed: number, isTraced: boolean, until?: string) {
    this.seed = seed;
    this.engine = engine;
    this.#until = until;
    this.drawn = drawDual(seed);
    const { knobs, night } = this.drawn;
    const scheduler = new Scheduler(START_AT, this.random('order'));
    this.scheduler = scheduler;
    this.trace = isTraced ? (line) => void this.lines.push(`${this.#clock()} ${line()}`) : () => {};
    this.oracle = new Oracle({ trace: this.trace, now: () => scheduler.now });
    const { trace } = this;
    const skews = this.random('skews');
    const sometimes = (what: string): void => this.count(what);
    const common = { scheduler, knobs, trace, sometimes, isHealed: () => this.isHealed };
    this.container = new Noted(scheduler, drawSkew(skews, night), (name, bytes) => {
      if (name.startsWith(engine.INTENTS_FOLDER)) this.oracle.stored(this.#deeds.get(bytes));
    });
    const net = new Net({
      ...common,
      random: this.random('net'),
      onCall: () => {},
      onFault: () => {},
      onUnanswered: () => {},
    });
    this.queue = new Queue({
      ...common,
      random: this.random('queue'),
      onSending: () => {},
      onSent: () => {},
      onAstray: () => {},
      onPoisoned: ({ sentAt, text }) => {
        if (sentAt >= (this.healedAt ?? Number.POSITIVE_INFINITY)) this.oracle.violate('deadLettered', text);
      },
    });
    this.sides = [this.#openSide('north', net), this.#openSide('west', net)];
    const hosts = this.random('processes');
    const onBug = (what: string): void => this.oracle.violate('appThrew', what);
    const parts = { scheduler, random: hosts, trace, sometimes, onBug };
    const shared = createBlobs(this.container, net, engine, knobs);
    const blobs: App['blobs'] = {
      ...shared,
      put: (name, bytes, ...rest) => {
        const { runId: deed } = currentCaller();
        if (deed !== undefined) this.#deeds.set(bytes, deed);
        return shared.put(name, bytes, ...rest);
      },
    };
    const [north, west] = this.sides;
    const startBackend = (world: World, log: Log): PairWrites =>
      new engine.PairWrites({ blobs, world, log, hubs: [north.port, west.port], waitForOtherMs: 250 });
    this.backends = Array.from(
      { length: this.drawn.backendCount },
      (_, at) => new Life(`backend${at}`, drawSkew(skews, night), { ...parts, start: startBackend }),
    );
    const queuePort = createQueuePort(this.queue, net, engine, knobs);
    const startWorker = (world: World, log: Log): App => ({
      ...{ blobs, world, log, backgroundLog: log, queue: queuePort },
      ...{ primary: north.port, secondary: west.port, drillHub: undefined },
      ...{ hubMetadata: async () => undefined, notifier, platform: testPlatform, policy: knobs.policy },
      ...{ memory: engine.createMemory(), listeners: [] },
    });
    this.workers = Array.from({ length: WORKERS }, (_, at) => {
      const worker: Worker = new Life(`app${at}`, drawSkew(skews, night), {
        ...parts,
        start: startWorker,
        onStop: (until) => this.#abandon(worker, until),
      });
      this.#inHand.set(worker, new Set());
      return worker;
    });
    const takers = this.random('takers');
    this.queue.take = (delivery) => {
      const worker = takers.pickAny(this.workers.filter((one) => one.isWell && this.#handOf(one).size < MESSAGES));
      if (worker !== undefined) void this.#work(worker, delivery);
      return worker !== undefined;
    };
  }

  get isHealed(): boolean {
    return this.healedAt !== undefined;
  }

  random(name: string): Random {
    return randomOf(this.seed, `dual ${name}`);
  }

  /** Something happened that does not always. */
  count(what: string): void {
    this.sometimes.set(what, (this.sometimes.get(what) ?? 0) + 1);
  }

  /** What was to be known is known. */
  get isSettled(): boolean {
    return this.#until !== undefined && this.oracle.kinds.has(this.#until);
  }

  /** Intents that no hub refuses, and what repairs note while there are any. */
  get waiting(): readonly string[] {
    const { INTENTS_FOLDER, LAGS_FOLDER } = this.engine;
    return [...this.container.names(INTENTS_FOLDER), ...this.container.names(LAGS_FOLDER)];
  }

  get isBusy(): boolean {
    return (
      this.waiting.length > 0 || this.queue.waitingCount > 0 || this.sides.some(({ store }) => store.waiting.length > 0)
    );
  }

  async #work(worker: Worker, delivery: Delivery): Promise<void> {
    const { engine, queue } = this;
    const hand = this.#handOf(worker);
    const { epoch } = worker;
    hand.add(delivery);
    let isDone = false;
    await worker.attempt(
      async (app) => {
        await engine.repairFolder(app, engine.parseDualStep(JSON.parse(delivery.message.text)));
        isDone = true;
      },
      (error) => error instanceof engine.DrError,
    );
    if (worker.epoch !== epoch) return;
    hand.delete(delivery);
    if (isDone) queue.done(delivery);
    else queue.failed(delivery);
  }

  #abandon(worker: Worker, until?: number): void {
    const hand = this.#handOf(worker);
    for (const delivery of hand) this.queue.abandoned(delivery, until);
    if (until === undefined) hand.clear();
  }

  #handOf(worker: Worker): Set<Delivery> {
    return this.#inHand.get(worker) ?? new Set();
  }

  #openSide(name: 'north' | 'west', net: Net): Side {
    const { drawn, scheduler, trace, engine } = this;
    const { knobs, night } = drawn;
    const sometimes = (what: string): void => this.count(what);
    const random = this.random(name);
    const isHealed = (): boolean => this.isHealed;
    const [of, rate] =
      name === 'north' ? (['primary', night.primaryRate] as const) : (['secondary', night.secondaryRate] as const);
    const observe = ({ before, after }: RowChange): void =>
      trace(() => `ROW ${name} ${(after ?? before)?.id} ${after ? `e${after.etag} ${tell(after)}` : 'gone'}`);
    const store = new HubStore(name, knobs[of], { scheduler, random, observe });
    const doorRandom = this.random(`door of ${name}`);
    const door = new Door({
      name,
      night,
      rate,
      random: doorRandom,
      trace,
      now: () => scheduler.now,
      isHealed,
      sometimes,
    });
    const ref = { namespace: name, hub: 'devices' };
    const parts: HubParts = {
      ...{ net, door, engine, knobs, random, sometimes },
      now: () => scheduler.now,
      after: (milliseconds, work) => scheduler.after(milliseconds, work),
      onPage: () => {},
      onRejected: () => sometimes('hubRejected'),
      onListing: () => {},
      onShown: () => {},
      onQuestion: () => {},
      onWrite: () => ({ kind: 'device', word: 0 }),
      onRefused: () => sometimes('idRefused'),
      onNotDone: () => {},
    };
    const port = withStrays(createHub(store, ref, parts, openCalls(store, ref, parts)), {
      ...{ store, sometimes, after: parts.after, mostMs: LONGEST_CALL_MS },
      random: this.random(`strays of ${name}`),
      share: () => (this.isHealed ? 0 : drawn.strays),
    });
    return { store, door, ref, port };
  }

  #clock(): string {
    return ((this.scheduler.now - START_AT) / 1000).toFixed(3).padStart(10);
  }
}

/** Tells of what is put as it was handed in. */
class Noted extends Container {
  readonly #onPut: (name: string, bytes: Uint8Array) => void;

  constructor(scheduler: Scheduler, skewMs: number, onPut: (name: string, bytes: Uint8Array) => void) {
    super(scheduler, skewMs, () => {});
    this.#onPut = onPut;
  }

  override put(
    name: string,
    bytes: Uint8Array,
    ...rest: [Parameters<Container['put']>[2], Parameters<Container['put']>[3]]
  ) {
    const etag = super.put(name, bytes, ...rest);
    if (etag !== 'conflict') this.#onPut(name, bytes);
    return etag;
  }
}

const notifier: App['notifier'] = {
  hasHeartbeat: false,
  hasWebhook: false,
  heartbeat: () => Promise.resolve(undefined),
  alert: () => Promise.resolve(undefined),
};
