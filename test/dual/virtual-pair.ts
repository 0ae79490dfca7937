import { toHubRequest } from '../../local/emulator/http-types.ts';
import { Namespace } from '../../local/emulator/namespace.ts';
import { seededRandom, seedOf } from '../../local/emulator/random.ts';
import { answer } from '../../local/emulator/routes.ts';
import type { DualHub } from '../../src/app/dual/hub.ts';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import { DrError } from '../../src/core/errors.ts';
import { intentName } from '../../src/core/paths.ts';
import type { Blobs, HubRef, Log, World, WriteOutcome } from '../../src/core/ports.ts';
import { readPage, readSingle } from '../../src/hub/page/page.ts';
import { DualWriter } from '../../src/redundant/dual-writer.ts';
import { sasHeader } from '../emulator/sas-header.ts';
import { randomOf } from '../simulation/random.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { createMemoryBlobs } from '../support/memory-blobs.ts';

export const startAt = Date.parse('2026-11-28T00:00:00Z');

export interface Weather {
  /** Milliseconds a hub's answer takes at most, now and then. */
  readonly longestMs: number;
  /** Share of calls that are lost before or after they took effect. */
  readonly lost: number;
  /** When a hub is away (epoch ms). */
  readonly away: (hub: HubRef, now: number) => boolean;
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
/** As the client has it: a call that is not answered ends then. */
const CALL_ENDS_MS = 30_000;

/** Two emulated hubs and a storage in virtual time, and processes that may die at any moment. */
export function openPair(seed: number, weather: Weather) {
  const scheduler = new Scheduler(startAt, randomOf(seed, 'order'));
  const chance = randomOf(seed, 'net');
  const world = {
    now: () => scheduler.now,
    after: (ms: number, run: () => void) => scheduler.after(ms, run),
    random: (name: string) => seededRandom(seedOf(`${seed}/${name}`)),
  };
  const refs = ['north', 'west'].map((namespace) => ({ namespace, hub: 'devices' }));
  const namespaces = refs.map(({ namespace }) => new Namespace(namespace, { world }));
  for (const namespace of namespaces) namespace.addHub('devices', { installationDelayMs: 500 });
  const memory = createMemoryBlobs(() => scheduler.now);
  const container: Blobs = {
    ...memory,
    put: (name, ...args) => {
      changed.add(name);
      return memory.put(name, ...args);
    },
    remove: (name, ...args) => {
      changed.add(name);
      return memory.remove(name, ...args);
    },
  };
  const [north = { namespace: '', hub: '' }, west = north] = refs;
  const stored = pairBlobs(container, north, west);
  /** Every intent in the order in which it came to be. */
  const intents: { readonly name: string; readonly text: string }[] = [];
  let puts = 0;
  /** Names of blobs in the container that were written or removed. */
  const changed = new Set<string>();

  const open = () => {
    const process = { isAlive: true, stops: [] as (() => void)[] };
    /** Nothing comes back to a process that is dead; what it began happens all the same. */
    const call = async <T>(before: number, effect: () => Promise<T>, after: number): Promise<T> => {
      if (!process.isAlive) return new Promise<never>(() => {});
      await scheduler.sleep(before);
      const result = await effect();
      await scheduler.sleep(after);
      return process.isAlive ? result : new Promise<never>(() => {});
    };
    const soon = <T>(work: () => Promise<T>) => call(chance.between(2, 30), work, chance.between(2, 30));
    const blobs: Blobs = {
      ...stored,
      get: (...args) => soon(() => stored.get(...args)),
      put: (name, bytes, ...args) => {
        puts += 1;
        return soon(async () => {
          const etag = await stored.put(name, bytes, ...args);
          if (etag !== 'conflict' && name.startsWith(intentName('0').slice(0, 14))) {
            intents.push({ name, text: Buffer.from(bytes).toString() });
          }
          return etag;
        });
      },
      list: (...args) => soon(() => stored.list(...args)),
      remove: (...args) => soon(() => stored.remove(...args)),
    };
    const processWorld: World = {
      now: world.now,
      storageNow: world.now,
      sleep: (ms) => call(ms, async () => {}, 0),
      repeat: (everyMs, work) => {
        let isStopped = false;
        const next = (): void => {
          scheduler.after(everyMs, () => {
            if (!isStopped && process.isAlive) void work().then(next);
          });
        };
        next();
        return () => {
          isStopped = true;
        };
      },
      nextTurn: async () => {},
      newSuffix: () =>
        chance
          .below(16 ** 6)
          .toString(16)
          .padStart(6, '0'),
      gzip: async (bytes) => bytes,
      gunzip: async (bytes) => bytes,
    };
    const hubs = namespaces.map((namespace, at) =>
      emulated(namespace, refs[at] ?? north, async (request, deadlineAt) => {
        const ref = refs[at] ?? north;
        const now = scheduler.now;
        const isLong = chance.chance(0.1);
        const takesMs = isLong ? chance.between(1000, weather.longestMs) : chance.between(5, 120);
        const fate = weather.away(ref, now)
          ? 'before'
          : chance.chance(weather.lost)
            ? chance.pick(['before', 'after'])
            : 'ok';
        const endsAt = Math.max(deadlineAt, now) + 10_000;
        const isLate = now + takesMs > Math.min(endsAt, now + CALL_ENDS_MS);
        const answered = call(takesMs, async () => (fate === 'before' ? undefined : request()), 0);
        if (fate === 'ok' && !isLate) return (await answered) ?? { status: 500 };
        void answered;
        await call(Math.min(endsAt - now, CALL_ENDS_MS), async () => {}, 0);
        throw new DrError('HubUnavailable', 'The hub did not answer.', { retryable: true });
      }),
    );
    return {
      blobs,
      world: processWorld,
      log: silent,
      hubs,
      kill: () => {
        process.isAlive = false;
      },
    };
  };

  return {
    scheduler,
    namespaces,
    refs: [north, west] as const,
    /** What is stored, at once. */
    stored,
    intents,
    changed,
    putCount: () => puts,
    open,
    openWriter(active: () => HubRef, waitForOtherMs = 250) {
      const { kill, hubs, ...parts } = open();
      const [first, second] = hubs;
      if (first === undefined || second === undefined) throw new Error('two hubs');
      const writer = new DualWriter({
        ...parts,
        hubs: [first, second],
        activeHub: async () => active(),
        waitForOtherMs,
      });
      return { writer, kill };
    },
  };
}

export type VirtualPair = ReturnType<typeof openPair>;

type Answer = Pick<ReturnType<typeof answer>, 'status' | 'body'>;
type Exchange = (request: () => Promise<Answer>, deadlineAt: number) => Promise<Answer>;

function emulated(namespace: Namespace, ref: HubRef, exchange: Exchange): DualHub {
  const [rule] = namespace.rules();
  const connection = `Endpoint=http://${ref.namespace}/;SharedAccessKeyName=${rule?.name};SharedAccessKey=${rule?.keys[0]}`;
  const authorization = sasHeader(connection, { expiresInSeconds: 10 * 365 * 86_400 });
  const call = (method: string, path: string, deadlineAt: number, body = '', headers = {}) =>
    exchange(
      async () =>
        answer(
          namespace,
          toHubRequest(method, `/devices/${path}`, { authorization, host: ref.namespace, ...headers }, body),
        ),
      deadlineAt,
    );
  const bytes = ({ body = '' }: Answer): Uint8Array => Buffer.from([body].flat().join(''));
  const written = ({ status }: Answer): WriteOutcome =>
    status < 300
      ? { kind: 'written' }
      : status === 404
        ? { kind: 'changed' }
        : { kind: 'rejected', status, reason: 'Rejected' };
  return {
    ref,
    putInstallation: async (id, json, { deadlineAt }) =>
      written(await call('PUT', `installations/${id}`, deadlineAt, json)),
    patchInstallation: async (id, json, { deadlineAt }) =>
      written(await call('PATCH', `installations/${id}`, deadlineAt, json)),
    deleteInstallation: async (id, { deadlineAt }) => {
      await call('DELETE', `installations/${id}`, deadlineAt);
    },
    async putRegistration(id, xml, { deadlineAt }) {
      const entry = `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${xml}</content></entry>`;
      const sent = await call('PUT', `registrations/${id}`, deadlineAt, entry);
      return sent.status === 410 ? { kind: 'idRefused', status: 410 } : written(sent);
    },
    async deleteRegistration(id, etag, { deadlineAt }) {
      const { status } = await call('DELETE', `registrations/${id}`, deadlineAt, '', { 'if-match': `"${etag}"` });
      return status === 412 ? 'changed' : 'gone';
    },
    async findRegistration(id, { deadlineAt }) {
      const found = await call('GET', `registrations/${id}`, deadlineAt);
      return found.status === 200 ? readSingle(bytes(found)) : undefined;
    },
    findInstallation: async (id, { deadlineAt }) =>
      readPage(
        bytes(await call('GET', `tags/${encodeURIComponent(`$InstallationId:{${id}}`)}/registrations`, deadlineAt)),
      ),
    findRows: async (query, { deadlineAt }) => {
      const filter = encodeURIComponent(`ChannelUri eq '${'handle' in query ? query.handle : ''}'`);
      return readPage(bytes(await call('GET', `registrations?$filter=${filter}`, deadlineAt)));
    },
    async createRegistrationId({ deadlineAt }) {
      throw new DrError('Internal', `no ids are minted here (${deadlineAt})`);
    },
  };
}
