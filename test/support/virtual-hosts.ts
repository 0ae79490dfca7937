import { type App, createMemory } from '../../src/app/app.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import type { Blobs, Hub, Lane, QueueName, StepQueue, World } from '../../src/core/ports.ts';
import { MAX_PEEKED } from '../../src/core/run/lane.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { createEngine, type EngineOptions } from './engine.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createMemoryBlobs } from './memory-blobs.ts';
import type { MemoryHub } from './memory-hub.ts';

const LANES: readonly Lane[] = ['restores', 'backups', 'rest'];
/** As in host.json. */
const AT_ONCE = 3;
const POLL_MS = 300;
const STORAGE_MS = 15;
/** A dead host's message is hidden for this long, and its timers' lock held. */
const HIDDEN_MS = 600_000;
const TIMER_LOCK_MS = 62_000;
const WATCH_EVERY_MS = 60_000;

export interface VirtualHost {
  readonly app: App;
  kill(): void;
}

/** Hosts of the app on one storage, one set of queues and one virtual clock; each has memory and a clock of its own. */
export interface VirtualHosts {
  readonly clock: FakeClock;
  readonly primary: MemoryHub;
  readonly secondary: MemoryHub;
  start(options?: { readonly skewMs?: number }): VirtualHost;
  /** Messages that are visible or delayed; not those that a dead host holds. */
  messages(): readonly string[];
}

interface Message {
  readonly queue: QueueName;
  readonly text: string;
  visibleAt: number;
  holder: object | undefined;
}

export interface VirtualOptions extends Pick<EngineOptions, 'policy'> {
  /** What lies between a host and its target. */
  readonly toTarget?: (hub: Hub, clock: FakeClock) => Hub;
  readonly toSource?: (hub: Hub, clock: FakeClock) => Hub;
}

export function openVirtualHosts({ policy = {}, toTarget, toSource }: VirtualOptions = {}): VirtualHosts {
  const clock = createFakeClock({ startAt: Date.parse('2026-11-23T09:00:00Z') });
  const { app: base, primary, secondary } = createEngine({ policy });
  const blobs = createMemoryBlobs(clock.now);
  let messages: Message[] = [];
  let timersFreeAt = 0;
  let timerHolder: object | undefined;
  let hostCount = 0;

  const queue: StepQueue = {
    send: async (lane, texts, delaySeconds = 0) => {
      const visibleAt = clock.now() + delaySeconds * 1000;
      messages.push(...texts.map((text) => ({ queue: lane, text, visibleAt, holder: undefined })));
    },
    peek: async (lane) =>
      messages
        .filter((one) => one.queue === lane && one.visibleAt <= clock.now() && one.holder === undefined)
        .slice(0, MAX_PEEKED)
        .map(({ text }) => text),
  };

  const start: VirtualHosts['start'] = ({ skewMs = 0 } = {}) => {
    hostCount += 1;
    const host = { isAlive: true };
    const number = hostCount;
    let suffixes = 0;
    /** Nothing comes back to a process that is dead. */
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (!host.isAlive) return new Promise<never>(() => {});
      const [result] = await Promise.allSettled([work()]);
      if (!host.isAlive) return new Promise<never>(() => {});
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    };
    const sleep = (milliseconds: number): Promise<void> => alive(() => clock.sleep(milliseconds));
    const overNet = <T>(work: () => Promise<T>): Promise<T> =>
      alive(async () => {
        await clock.sleep(STORAGE_MS);
        return host.isAlive ? work() : new Promise<never>(() => {});
      });
    const world: World = {
      ...base.world,
      now: () => clock.now() + skewMs,
      storageNow: clock.now,
      sleep,
      nextTurn: () => sleep(0),
      newSuffix: () => `${number}${String(++suffixes).padStart(5, '0')}`,
      repeat(everyMs, work) {
        let isStopped = false;
        const next = async (): Promise<void> => {
          await sleep(everyMs);
          while (!isStopped) {
            await work();
            await sleep(everyMs);
          }
        };
        void next();
        return () => {
          isStopped = true;
        };
      },
    };
    const app: App = {
      ...base,
      world,
      memory: createMemory(),
      blobs: overNetAll(blobs, overNet),
      queue: { send: (...args) => overNet(() => queue.send(...args)), peek: (lane) => overNet(() => queue.peek(lane)) },
      primary: skewed(guard(toSource?.(primary, clock) ?? primary, alive), skewMs),
      secondary: skewed(guard(toTarget?.(secondary, clock) ?? secondary, alive), skewMs),
    };
    const inHand = new Map<QueueName, number>();
    const take = (message: Message): void => {
      message.holder = host;
      inHand.set(message.queue, (inHand.get(message.queue) ?? 0) + 1);
      const end = (isDone: boolean): void => {
        if (!host.isAlive) return;
        inHand.set(message.queue, (inHand.get(message.queue) ?? 0) - 1);
        message.holder = undefined;
        if (isDone) messages = messages.filter((one) => one !== message);
        else message.visibleAt = clock.now() + 10_000;
      };
      runStep(app, parseStep(JSON.parse(message.text))).then(
        () => end(true),
        () => end(false),
      );
    };
    const poll = async (): Promise<void> => {
      for (;;) {
        await sleep(POLL_MS);
        const takeable = messages.filter(({ holder, visibleAt }) => holder === undefined && visibleAt <= clock.now());
        for (const lane of LANES) {
          const free = AT_ONCE - (inHand.get(lane) ?? 0);
          for (const message of takeable.filter(({ queue: name }) => name === lane).slice(0, free)) take(message);
        }
      }
    };
    const watch = async (): Promise<void> => {
      for (;;) {
        await sleep(WATCH_EVERY_MS / 4);
        if (timerHolder === undefined && clock.now() >= timersFreeAt) timerHolder = host;
        if (timerHolder !== host) continue;
        // The host logs what a timer throws.
        await watchRuns(app).catch(() => {});
        await sleep(WATCH_EVERY_MS);
      }
    };
    void poll();
    void watch();
    return {
      app,
      kill() {
        host.isAlive = false;
        for (const message of messages) {
          if (message.holder !== host) continue;
          message.holder = undefined;
          message.visibleAt = clock.now() + HIDDEN_MS;
        }
        if (timerHolder !== host) return;
        timerHolder = undefined;
        timersFreeAt = clock.now() + TIMER_LOCK_MS;
      },
    };
  };
  return { clock, primary, secondary, start, messages: () => messages.map(({ text }) => text) };
}

type Passage = <T>(work: () => Promise<T>) => Promise<T>;

function overNetAll(blobs: Blobs, pass: Passage): Blobs {
  return {
    get: (...args) => pass(() => blobs.get(...args)),
    put: (...args) => pass(() => blobs.put(...args)),
    list: (...args) => pass(() => blobs.list(...args)),
    listFolders: (...args) => pass(() => blobs.listFolders(...args)),
    remove: (...args) => pass(() => blobs.remove(...args)),
    removeFolder: (...args) => blobs.removeFolder(...args),
    ensure: () => pass(() => blobs.ensure()),
  };
}

function guard(hub: Hub, pass: Passage): Hub {
  return {
    ref: hub.ref,
    pace: () => hub.pace(),
    listPage: (...args) => pass(() => hub.listPage(...args)),
    findRegistration: (...args) => pass(() => hub.findRegistration(...args)),
    findInstallation: (...args) => pass(() => hub.findInstallation(...args)),
    findRows: (...args) => pass(() => hub.findRows(...args)),
    putRegistration: (...args) => pass(() => hub.putRegistration(...args)),
    putInstallation: (...args) => pass(() => hub.putInstallation(...args)),
    deleteRegistration: (...args) => pass(() => hub.deleteRegistration(...args)),
    patchInstallation: (...args) => pass(() => hub.patchInstallation(...args)),
    deleteInstallation: (...args) => pass(() => hub.deleteInstallation(...args)),
    createRegistrationId: (...args) => pass(() => hub.createRegistrationId(...args)),
    probe: (...args) => pass(() => hub.probe(...args)),
  };
}

/** Deadlines are by the clock of the host; what lies behind has the virtual one. */
function skewed(hub: Hub, skewMs: number): Hub {
  const on = <O extends { readonly deadlineAt: number }>(options: O): O => ({
    ...options,
    deadlineAt: options.deadlineAt - skewMs,
  });
  return {
    ...hub,
    listPage: (token, options) => hub.listPage(token, on(options)),
    findRegistration: (id, options) => hub.findRegistration(id, on(options)),
    findInstallation: (id, options) => hub.findInstallation(id, on(options)),
    findRows: (query, options) => hub.findRows(query, on(options)),
    putRegistration: (id, xml, options) => hub.putRegistration(id, xml, on(options)),
    putInstallation: (id, json, options) => hub.putInstallation(id, json, on(options)),
    deleteRegistration: (id, etag, options) => hub.deleteRegistration(id, etag, on(options)),
    patchInstallation: (id, json, options) => hub.patchInstallation(id, json, on(options)),
    deleteInstallation: (id, options) => hub.deleteInstallation(id, on(options)),
  };
}
