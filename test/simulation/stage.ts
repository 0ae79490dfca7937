import type { App } from '../../src/app/app.ts';
import type { HubRef } from '../../src/core/ports.ts';
import type { Role } from '../../src/core/run/role.ts';
import { testPlatform } from '../support/platform.ts';
import { Devices } from './devices.ts';
import type { Engine } from './engine.ts';
import { Host } from './hosts.ts';
import { type Calls, createHub, type HubParts, openCalls } from './hub.ts';
import { HubStore, type RowChange } from './hub-store.ts';
import { drawImporting, type Importing, inImporting, Jobs } from './jobs/jobs.ts';
import { drawKeeping, inKeeping, type Keeping } from './keeping/keeping.ts';
import { drawKnobs, type Knobs } from './knobs.ts';
import { Net } from './net.ts';
import { Door, drawNight, drawSkew, inNight, type Night } from './night.ts';
import { Life } from './oracle/life.ts';
import { Oracle } from './oracle/oracle.ts';
import { createPoisonedHub } from './poison/hub.ts';
import { Poison } from './poison/poison.ts';
import { createQueuePort, Queue } from './queue.ts';
import { type Random, randomOf } from './random.ts';
import { tell } from './row.ts';
import { Scheduler } from './scheduler.ts';
import { Container, createBlobs, type Stored } from './storage.ts';
import { Truth } from './truth.ts';

export const START_AT = Date.UTC(2026, 10, 23, 9);

/** One seed's world: its hubs, storage and queue, the processes of the app, the devices, and the oracle that watches. */
export class Stage {
  readonly seed: number;
  readonly engine: Engine;
  readonly knobs: Knobs;
  readonly night: Night;
  readonly poison: Poison;
  readonly keeping: Keeping | undefined;
  readonly importing: Importing | undefined;
  jobs: Jobs | undefined;
  readonly #calls = new Map<HubStore, Calls>();
  readonly doors: ReadonlyMap<string, Door>;
  readonly life: Life;
  readonly scheduler: Scheduler;
  readonly truth = new Truth();
  readonly oracle: Oracle;
  readonly devices: Devices;
  readonly queue: Queue;
  readonly container: Container;
  readonly hosts: readonly Host[];
  /** Of the first settings; then the drills' own. */
  readonly hubs: readonly [primary: HubStore, secondary: HubStore, scratch: HubStore];
  readonly trace: (line: () => string) => void;
  readonly lines: string[] = [];
  readonly sometimes = new Map<string, number>();
  /** As the settings name them at the moment. */
  primary: HubStore;
  secondary: HubStore;
  /** As the role says, once one was declared. */
  #declared: HubStore | undefined;
  /** No faults any more, and silent devices. */
  isHealed = false;
  #isQuiet = false;
  /** A process died, froze, or is back. */
  onTurn = (): void => {};
  /** Days begin in which little happens, or end. */
  onQuiet = (): void => {};
  /** There was a drill. */
  hasDrill = false;
  readonly hostRandom: Random;
  readonly #until: string | undefined;

  /** `until`: the kind of violation that is all there is to know. */
  constructor(engine: Engine, seed: number, isTraced: boolean, until?: string) {
    this.seed = seed;
    this.#until = until;
    this.engine = engine;
    this.night = drawNight(seed);
    this.poison = new Poison(seed);
    this.keeping = drawKeeping(seed);
    this.importing = drawImporting(seed);
    const knobsOfSeed = inKeeping(this.poison.adapt(inNight(drawKnobs(seed), this.night)), this.keeping);
    this.knobs = inImporting(knobsOfSeed, this.importing);
    this.scheduler = new Scheduler(START_AT, this.random('order'));
    this.hostRandom = this.random('host');
    this.trace = isTraced ? (line) => void this.lines.push(`${this.#clock()} ${line()}`) : () => {};
    const { scheduler, knobs, trace, truth } = this;
    const sometimes = (what: string): void => this.count(what);
    const isHealed = (): boolean => this.isHealed;
    this.hubs = [this.#openHub('p', 'primary'), this.#openHub('s', 'secondary'), this.#openHub('x', 'scratch')];
    [this.primary, this.secondary] = this.hubs;
    this.doors = this.#openDoors();
    const skews = this.random('skews');
    const skew = (): number => drawSkew(skews, this.night);
    this.container = new Container(scheduler, skew(), (name, stored) => this.#stored(name, stored));
    const hubs = new Map(this.hubs.map((hub) => [hub.name, hub]));
    const { container } = this;
    const known = { scheduler, truth, container, hubs, knobs, poison: this.poison, trace, sometimes };
    this.oracle = new Oracle({ ...known, jobs: () => this.jobs });
    this.oracle.roleChanged(this.primary.name);
    this.devices = new Devices({ scheduler, random: this.random('devices'), knobs, truth, trace, sometimes });
    const violate = (kind: string, text: string): void => this.oracle.violate(kind, text);
    this.life = new Life({ scheduler, hosts: () => this.hosts, doors: this.doors, violate });
    const common = { scheduler, knobs, trace, sometimes, isHealed };
    this.queue = new Queue({
      ...common,
      random: this.random('queue'),
      onSending: (runId) => this.life.sending(runId),
      onSent: (message, others, sender) => this.life.sent(message, others, sender),
      onAstray: (runId) => this.life.lost([runId]),
    });
    const net = new Net({
      ...common,
      random: this.random('net'),
      onCall: (...call) => this.life.called(...call),
      onFault: (label) => {
        this.life.disturbed();
        if (/^put _runs\/restore\/.*\/reconcile\/pass-/.test(label)) this.oracle.stepsStopped();
      },
      onUnanswered: (...call) => this.oracle.unanswered(...call),
    });
    const onBug = (what: string): void => this.oracle.violate('appThrew', what);
    const given = { scheduler, random: this.random('hosts'), knobs, engine, queue: this.queue, trace, sometimes };
    const onStop = (runIds: readonly string[]): void => {
      this.life.lost(runIds);
      this.oracle.stepsStopped();
    };
    const parts = { ...given, shared: this.#share(net), onBug, onStop, onTurn: () => this.#turned() };
    this.hosts = Array.from({ length: knobs.hostCount }, (_, index) => new Host(`h${index}`, skew(), parts));
    this.queue.take = (delivery) => {
      const host = this.hostRandom.pickAny(this.hosts.filter((one) => one.hasRoom(delivery)));
      host?.take(delivery);
      return host !== undefined;
    };
  }

  random(name: string): Random {
    return randomOf(this.seed, name);
  }

  /** Something happened that does not always. */
  count(what: string): void {
    this.sometimes.set(what, (this.sometimes.get(what) ?? 0) + 1);
  }

  /** A process that is up, if there is one. */
  get host(): Host | undefined {
    return this.hostRandom.pickAny(this.hosts.filter((host) => host.isWell));
  }

  /** What was to be known is known. */
  get isSettled(): boolean {
    return this.#until !== undefined && this.oracle.kinds.has(this.#until);
  }

  /** Days go by in which little happens. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  set isQuiet(isQuiet: boolean) {
    this.#isQuiet = isQuiet;
    this.onQuiet();
  }

  /** The hub that devices and backends are to use: backups follow it. */
  get inUse(): HubStore {
    return this.#declared ?? this.primary;
  }

  get standby(): HubStore {
    return this.inUse === this.primary ? this.secondary : this.primary;
  }

  get hasActiveRun(): boolean {
    return this.oracle.runs.all().some(({ endedAt }) => endedAt === undefined);
  }

  /** Primary and secondary exchanged in the settings: all processes start again. */
  exchangeHubs(): void {
    [this.primary, this.secondary] = [this.secondary, this.primary];
    this.trace(() => `SETTINGS primary is ${this.primary.name}`);
    this.oracle.roleChanged(this.primary.name);
    for (const host of this.hosts) if (host.isAlive) host.die();
  }

  #roleStored(role: Role): void {
    this.oracle.roleStored(role);
    const hub = this.hubs.find(({ name }) => name === role.active.namespace);
    if (role.declared === undefined || hub === undefined || hub === this.inUse) return;
    this.#declared = hub;
    this.trace(() => `ROLE ${hub.name} is in use`);
    this.oracle.roleChanged(hub.name, true);
  }

  /** From now on one process, the storage and the target are well. The source and all others are gone for ever. */
  leaveOnlyTheCore(): void {
    this.count('onlyTheCoreHealed');
    const [core] = this.hosts;
    for (const host of this.hosts) if (host !== core) host.leave();
    if (core?.isAlive && !core.isWell) core.die();
    for (const hub of this.hubs) {
      if (hub === this.inUse || (hub !== this.standby && this.hostRandom.chance(0.5))) this.#doorOf(hub).goAway();
      else this.#doorOf(hub).comeBack();
    }
  }

  #turned(): void {
    this.life.disturbed();
    this.onTurn();
  }

  #openDoors(): ReadonlyMap<string, Door> {
    const { night, scheduler, trace } = this;
    const rates = [night.primaryRate, night.secondaryRate, night.scratchRate];
    const doors = this.hubs.map(({ name }, index): [string, Door] => {
      const parts = { name, night, rate: rates[index], random: this.random(`door of ${name}`), trace };
      const isHealed = (): boolean => this.isHealed;
      const sometimes = (what: string): void => this.count(what);
      return [name, new Door({ ...parts, now: () => scheduler.now, isHealed, sometimes })];
    });
    return new Map(doors);
  }

  #doorOf({ name }: HubStore): Door {
    const door = this.doors.get(name);
    if (door === undefined) throw new Error(`There is no hub ${name}.`);
    return door;
  }

  #openHub(name: string, of: 'primary' | 'secondary' | 'scratch'): HubStore {
    const observe = (change: RowChange): void => this.#rowChanged(change);
    return new HubStore(name, this.knobs[of], { scheduler: this.scheduler, random: this.random(name), observe });
  }

  #share(net: Net): () => Omit<App, 'world' | 'memory' | 'log' | 'backgroundLog'> {
    const { engine, knobs } = this;
    const [first, second, scratch] = this.hubs.map((store) => this.#openPort(store, net));
    if (first === undefined || second === undefined) throw new Error('There are three hubs.');
    const shared = {
      blobs: createBlobs(this.container, net, engine, knobs),
      queue: createQueuePort(this.queue, net, engine, knobs),
      drillHub: knobs.hasScratchHub ? scratch : undefined,
      hubMetadata: async () => undefined,
      platform: testPlatform,
      notifier,
      policy: knobs.policy,
      listeners: knobs.notesOnCard ? [engine.noteOnCard] : [],
    };
    if (this.importing !== undefined) this.jobs = this.#openJobs(net);
    const imports = this.jobs?.port();
    return () => {
      const isExchanged = this.primary !== this.hubs[0];
      return {
        ...shared,
        ...(imports === undefined ? {} : { imports }),
        primary: isExchanged ? second : first,
        secondary: isExchanged ? first : second,
      };
    };
  }

  #openJobs(net: Net): Jobs {
    const { scheduler, engine, knobs, trace, oracle } = this;
    const storeOf = ({ namespace }: HubRef): HubStore => {
      const store = this.hubs.find(({ name }) => name === namespace);
      if (store === undefined) throw new Error(`There is no hub ${namespace}.`);
      return store;
    };
    return new Jobs({
      ...{ scheduler, net, engine, knobs, trace },
      random: this.random('jobs'),
      sometimes: (what) => this.count(what),
      isAway: (hub) => this.doors.get(hub)?.isAway === true,
      callsOf: (ref) => ({ store: storeOf(ref), calls: this.#callsTo(storeOf(ref)) }),
      onHandedOver: (caller, sentAt) => oracle.sentByItself(caller, sentAt),
      onMade: ({ hub }, caller, key, sentAt) =>
        oracle.written(hub, { caller, call: 'put', key, sentAt, isOfJob: true }),
    });
  }

  #callsTo(store: HubStore): Calls {
    const known = this.#calls.get(store);
    if (known === undefined) throw new Error(`Hub ${store.name} is not open.`);
    return known;
  }

  #openPort(store: HubStore, net: Net) {
    const { engine, knobs, oracle, life, devices, scheduler, poison } = this;
    const random = this.random(`pages of ${store.name}`);
    const ref = { namespace: store.name, hub: 'devices' };
    const parts: HubParts = {
      net,
      door: this.#doorOf(store),
      engine,
      knobs,
      random,
      now: () => scheduler.now,
      after: (milliseconds: number, work: () => void) => scheduler.after(milliseconds, work),
      sometimes: (what: string) => this.count(what),
      onListing: (caller) => oracle.listingBegan(store.name, caller),
      onShown: (caller, rows, isListed) =>
        oracle.shown(store.name, caller, isListed ? poison.listable(store.name, rows) : rows, isListed),
      onQuestion: (caller, key) => oracle.asked(store.name, caller, key),
      onWrite: (write) => {
        life.wrote(write.caller, engine.leaseName, write.sentAt);
        return oracle.written(store.name, write);
      },
      onRefused: (caller, id) => oracle.refused(caller, id),
      onNotDone: (caller, key) => oracle.notDone(caller, key),
      onRejected: (id) => oracle.violate('rejectedForOurOwnDoing', `${store.name}: ${id}`),
      onPage: (lastHandle) => {
        if (!this.isHealed && random.chance(knobs.busyListing)) devices.actAround(store, lastHandle);
      },
    };
    const calls = openCalls(store, ref, parts);
    this.#calls.set(store, calls);
    const hub = createHub(store, ref, parts, calls);
    return poison.isIn(store.name) ? createPoisonedHub(hub, store, calls, parts, poison) : hub;
  }

  #rowChanged(change: RowChange): void {
    const { hub, before, after, by } = change;
    this.trace(
      () => `ROW ${hub} ${(after ?? before)?.id} ${after ? `e${after.etag} ${tell(after)}` : 'gone'} by ${by.kind}`,
    );
    this.oracle.rowChanged(change);
  }

  #stored(name: string, stored: Stored | undefined): void {
    if (name.startsWith('_runs/')) this.life.blobStored(name, stored);
    if (this.keeping !== undefined && name.includes('/snapshots/')) this.oracle.kept.stored(name, stored);
    const isRun = /^_runs\/(?:backup|restore|verification)\/[^/]+\/run\.json$/.test(name);
    const isDrill = /^_drills\/\d[^/]*\.json$/.test(name);
    const isRole = name === this.engine.ROLE_NAME;
    if (stored === undefined || (!isRun && !isDrill && !isRole)) return;
    const doc = JSON.parse(Buffer.from(stored.bytes).toString('utf8'));
    if (isRole) this.#roleStored(doc);
    else if (isRun) {
      this.oracle.runStored(doc);
      this.life.runStored(doc);
    } else this.oracle.drillStored(doc);
  }

  #clock(): string {
    return ((this.scheduler.now - START_AT) / 1000).toFixed(3).padStart(10);
  }
}

const notifier: App['notifier'] = {
  hasHeartbeat: false,
  hasWebhook: false,
  heartbeat: () => Promise.resolve(undefined),
  alert: () => Promise.resolve(undefined),
};
