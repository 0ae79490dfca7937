import type { App } from '../../src/app/app.ts';
import { Devices } from './devices.ts';
import type { Engine } from './engine.ts';
import { Host } from './hosts.ts';
import { createHub } from './hub.ts';
import { HubStore, type RowChange } from './hub-store.ts';
import { drawKnobs, type Knobs } from './knobs.ts';
import { Net } from './net.ts';
import { Operator } from './operator.ts';
import { Oracle, type Violation } from './oracle/oracle.ts';
import { createQueuePort, Queue } from './queue.ts';
import { type Random, randomOf } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { Container, createBlobs } from './storage.ts';
import { Truth } from './truth.ts';

const START_AT = Date.UTC(2026, 10, 23, 9);
const MINUTE_MS = 60_000;
/** What runs have to end in once nothing goes wrong any more. */
const HEALED_MS = 3 * 60 * MINUTE_MS;
/** The oracle looks at an end once more after five minutes. */
const REST_MS = 6 * MINUTE_MS;
const MAX_EVENTS = 500_000;

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly sometimes: ReadonlyMap<string, number>;
  readonly eventCount: number;
  /** Of virtual time. */
  readonly milliseconds: number;
  /** Empty unless it was asked for. */
  readonly trace: readonly string[];
}

export interface Settings {
  primary: HubStore;
  secondary: HubStore;
}

/** One seed's whole world. */
export class Simulation {
  readonly knobs: Knobs;
  readonly engine: Engine;
  readonly scheduler: Scheduler;
  readonly devices: Devices;
  readonly oracle: Oracle;
  readonly truth = new Truth();
  readonly hubs: readonly [HubStore, HubStore, HubStore];
  readonly settings: Settings;
  readonly hosts: readonly Host[];
  readonly queue: Queue;
  readonly container: Container;
  readonly #seed: number;
  readonly #hostRandom: Random;
  readonly #lines: string[] = [];
  readonly #sometimes = new Map<string, number>();
  readonly trace: (line: () => string) => void;
  /** No faults any more, and no devices. */
  isHealed = false;
  hasDrill = false;
  /** Days go by in which little happens. */
  isQuiet = false;

  constructor(engine: Engine, seed: number, isTraced: boolean) {
    this.#seed = seed;
    this.#hostRandom = randomOf(seed, 'host');
    this.engine = engine;
    this.knobs = drawKnobs(seed);
    this.scheduler = new Scheduler(START_AT, this.random('order'));
    this.trace = isTraced ? (line) => void this.#lines.push(`${this.#clock()} ${line()}`) : () => {};
    const { scheduler, knobs, trace, truth } = this;
    const sometimes = this.sometimes;
    const isHealed = (): boolean => this.isHealed;
    const observe = (change: RowChange): void => this.#rowChanged(change);
    const store = (name: string, of: 'primary' | 'secondary' | 'scratch'): HubStore =>
      new HubStore(name, knobs[of], { scheduler, random: this.random(name), observe });
    this.hubs = [store('p', 'primary'), store('s', 'secondary'), store('x', 'scratch')];
    const [primary, secondary] = this.hubs;
    this.settings = { primary, secondary };
    this.container = new Container(scheduler, (name, bytes) => this.#stored(name, bytes));
    const hubs = new Map(this.hubs.map((hub) => [hub.name, hub]));
    this.oracle = new Oracle({ scheduler, truth, container: this.container, hubs, trace, sometimes });
    this.oracle.settingsChanged(primary.name);
    this.devices = new Devices({ scheduler, random: this.random('devices'), knobs, truth, trace, sometimes });
    const net = new Net({ scheduler, random: this.random('net'), knobs, trace, sometimes, isHealed });
    this.queue = new Queue({ scheduler, random: this.random('queue'), knobs, isHealed, trace, sometimes });
    const shared = this.#share(net);
    const onBug = (what: string): void => this.oracle.violate('appThrew', what);
    const parts = {
      scheduler,
      random: this.random('hosts'),
      knobs,
      engine,
      queue: this.queue,
      trace,
      sometimes,
      shared,
      onBug,
    };
    this.hosts = Array.from({ length: knobs.hostCount }, (_, index) => new Host(`h${index}`, parts));
    this.queue.take = (message) => this.#anyHost()?.take(message) ?? false;
  }

  random(name: string): Random {
    return randomOf(this.#seed, name);
  }

  readonly sometimes = (what: string): void => {
    this.#sometimes.set(what, (this.#sometimes.get(what) ?? 0) + 1);
  };

  /** A process that is up, if there is one. */
  #anyHost(): Host | undefined {
    return this.#hostRandom.pickAny(this.hosts.filter((host) => host.isWell));
  }

  get host(): Host | undefined {
    return this.#anyHost();
  }

  /** Primary and secondary exchanged in the settings: all processes start anew. */
  exchangeHubs(): void {
    const { settings } = this;
    [settings.primary, settings.secondary] = [settings.secondary, settings.primary];
    this.trace(() => `SETTINGS primary is ${settings.primary.name}`);
    this.oracle.settingsChanged(settings.primary.name);
    for (const host of this.hosts) if (host.isAlive) host.die();
  }

  async run(): Promise<Outcome> {
    const operator = new Operator(this, this.random('operator'));
    let isDone = false;
    const script = operator.work().then(() => {
      isDone = true;
    });
    this.#startClocks();
    const isOver = (): boolean => isDone || this.scheduler.count > MAX_EVENTS;
    await this.scheduler.run(isOver);
    if (!isDone) this.oracle.violate('tooManyEvents', `${this.scheduler.count}`);
    else await script;
    await this.#heal();
    this.oracle.end();
    return {
      seed: this.#seed,
      violations: this.oracle.violations,
      sometimes: this.#sometimes,
      eventCount: this.scheduler.count,
      milliseconds: this.scheduler.now - START_AT,
      trace: this.#lines,
    };
  }

  /** Faults end, devices fall silent, and everything has to come to an end. */
  async #heal(): Promise<void> {
    this.isHealed = true;
    this.trace(() => 'HEALED');
    const until = this.scheduler.now + HEALED_MS;
    let quietSince = this.scheduler.now;
    await this.scheduler.run(() => {
      const isBusy = this.#isActive() || this.hubs.some((hub) => hub.waitingCount > 0) || this.queue.waitingCount > 0;
      if (isBusy) quietSince = this.scheduler.now;
      return (
        this.scheduler.now - quietSince > REST_MS || this.scheduler.now > until || this.scheduler.count > 2 * MAX_EVENTS
      );
    });
  }

  #isActive(): boolean {
    return this.oracle.runs.all().some(({ endedAt }) => endedAt === undefined);
  }

  #startClocks(): void {
    const random = this.random('clocks');
    const { knobs, scheduler, devices } = this;
    const tick = (): void => {
      scheduler.after(this.isQuiet ? 60 * MINUTE_MS : MINUTE_MS, tick);
      if (this.#isActive() || this.container.names('_locks/').length > 0 || this.hasDrill) this.#watch(random);
      if (this.isHealed || this.isQuiet) return;
      const share = knobs.churnPerMinute / 4;
      for (let chances = 0; chances < 4; chances += 1) if (random.chance(share)) devices.act();
      const hub = random.pickAny(this.hubs.slice(0, 2));
      const row = random.chance(knobs.lossesPerMinute) ? random.pickAny(hub?.rows() ?? []) : undefined;
      if (row === undefined || hub === undefined) return;
      this.trace(() => `LOSS ${hub.name} ${row.id}`);
      this.sometimes('serviceLostARow');
      hub.lose(row.id);
    };
    scheduler.after(MINUTE_MS, tick);
  }

  /** The watchdog's timer: on one process at a time, and only while there is something to look at. */
  #watch(random: Random): void {
    const duties = [this.engine.watchRuns, ...(this.hasDrill ? [this.engine.advanceDrills] : [])];
    const looks = random.chance(0.1) ? [this.engine.reviewReadiness] : [];
    this.#anyHost()
      ?.ask(async (app) => {
        for (const duty of [...duties, ...looks]) await duty(app);
      })
      .catch((error: unknown) => {
        if (error instanceof this.engine.DrError || this.isDeath(error)) return;
        this.oracle.violate('appThrew', `watchdog ${String(error)}`);
      });
  }

  isDeath(error: unknown): boolean {
    return error instanceof Error && error.constructor.name === 'Died';
  }

  #share(net: Net): () => Omit<App, 'world' | 'memory' | 'log'> {
    const { engine, knobs, scheduler, oracle, devices } = this;
    const random = this.random('pages');
    const port = (store: HubStore) =>
      createHub(
        store,
        { namespace: store.name, hub: 'devices' },
        {
          net,
          engine,
          knobs,
          random,
          now: () => scheduler.now,
          onListing: (hub, caller) => oracle.listingBegan(hub, caller),
          onWrite: (write) => oracle.written(write),
          onPage: () => {
            if (!this.isHealed && random.chance(knobs.busyListing)) devices.act();
          },
        },
      );
    const ports = new Map(this.hubs.map((store) => [store, port(store)]));
    const portOf = (store: HubStore) => ports.get(store) ?? port(store);
    const shared = {
      blobs: createBlobs(this.container, net, engine, knobs),
      queue: createQueuePort(this.queue, net, engine, knobs),
      drillHub: knobs.hasScratchHub ? portOf(this.hubs[2]) : undefined,
      notifier: {
        hasHeartbeat: false,
        hasWebhook: false,
        heartbeat: async () => undefined,
        alert: async () => undefined,
      },
      policy: knobs.policy,
      listeners: knobs.notesOnCard ? [engine.noteOnCard] : [],
    };
    return () => ({ ...shared, primary: portOf(this.settings.primary), secondary: portOf(this.settings.secondary) });
  }

  #rowChanged(change: RowChange): void {
    this.trace(
      () =>
        `ROW ${change.hub} ${change.after === undefined ? `gone ${change.before?.id}` : `${change.after.id} e${change.after.etag} [${change.after.tags.join(' ')}] ${change.after.handle}`} by ${change.by.kind}`,
    );
    this.oracle.rowChanged(change);
  }

  #stored(name: string, bytes: Uint8Array): void {
    if (!/^_runs\/(?:backup|restore|verification)\/[^/]+\/run\.json$/.test(name)) return;
    this.oracle.runStored(JSON.parse(Buffer.from(bytes).toString('utf8')));
  }

  #clock(): string {
    return ((this.scheduler.now - START_AT) / 1000).toFixed(3).padStart(10);
  }
}
