import type { BulkJobs } from '../../../src/app/app.ts';
import type { HubJobs, HubRef, JobFiles, JobLook } from '../../../src/core/ports.ts';
import type { Engine } from '../engine.ts';
import type { Calls } from '../hub.ts';
import type { HubStore } from '../hub-store.ts';
import type { Knobs } from '../knobs.ts';
import type { Caller, Net } from '../net.ts';
import { type Random, randomOf } from '../random.ts';
import { type Description, readDescription, type Writer } from '../row.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Job, KnownJobs } from './job.ts';

/** What may be wrong with a job of a hub. */
const DEFECTS = [
  'none',
  'none',
  'none',
  'neverEnds',
  'endsLate',
  'losesLines',
  'doesNothing',
  'givesIds',
  'refusesIds',
  'fails',
] as const;
type Defect = (typeof DEFECTS)[number];

const MINUTE_MS = 60_000;
/** In this share of the seeds restores create plain registrations by import jobs. */
const SEEDS = 0.08;

export interface Importing {
  readonly patienceMs: number;
}

/** Its draws are its own. */
export function drawImporting(seed: number): Importing | undefined {
  const random = randomOf(seed, 'bulk jobs');
  if (!random.chance(SEEDS)) return undefined;
  return { patienceMs: random.pick([1, 5, 15]) * MINUTE_MS };
}

export function inImporting(knobs: Knobs, importing: Importing | undefined): Knobs {
  if (importing === undefined) return knobs;
  return { ...knobs, policy: { ...knobs.policy, restoreWriter: 'import', importPatienceMs: importing.patienceMs } };
}

export interface JobParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly net: Net;
  readonly engine: Engine;
  readonly knobs: Knobs;
  readonly sometimes: (what: string) => void;
  readonly trace: (line: () => string) => void;
  readonly callsOf: (ref: HubRef) => { readonly store: HubStore; readonly calls: Calls };
  readonly isAway: (hub: string) => boolean;
  /** Called when a hub takes a job. */
  readonly onHandedOver: (caller: Caller, sentAt: number) => void;
  /** Called when a job makes a row; tells whose it is. */
  readonly onMade: (job: Job, caller: Caller, id: string, sentAt: number) => Writer;
}

/** The bulk jobs of all hubs, with their defects, and the containers that they read from and write to. */
export class Jobs implements KnownJobs {
  readonly all: Job[] = [];
  readonly #parts: JobParts;
  readonly #containers = new Map<string, Map<string, Uint8Array>>();
  readonly #madeAt = new Map<string, number>();

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /** The watchdog looks after some. */
  get isOpen(): boolean {
    return this.all.length > 0;
  }

  isAway(hub: string): boolean {
    return this.#parts.isAway(hub);
  }

  /** Whether a job has made the row. */
  hasMade(hub: string, id: string): boolean {
    return this.all.some((job) => job.hub === hub && job.made.has(id));
  }

  port(): BulkJobs {
    return { jobsOf: (ref) => this.#jobsOf(ref), files: this.#files() };
  }

  #jobsOf(ref: HubRef): HubJobs {
    const { callsOf } = this.#parts;
    const { store, calls } = callsOf(ref);
    return {
      submit: (containerUrl, options) => {
        const sentAt = this.#parts.scheduler.now;
        return calls.call(`submit ${nameIn(containerUrl)}`, store.knobs.writeMs, options, (caller) => {
          this.#parts.onHandedOver(caller, sentAt);
          return this.#submit(store, nameIn(containerUrl), caller);
        });
      },
      find: (container, options) =>
        calls.call(
          `find job ${container}`,
          store.knobs.listMs,
          options,
          () => this.all.find((job) => job.container === container)?.id,
        ),
      look: (jobId, options) =>
        calls.call(`look at ${jobId}`, store.knobs.listMs, options, () => {
          const { status = 'Failed', progress = 0 } = this.all.find(({ id }) => id === jobId) ?? {};
          return { status, progress };
        }),
    };
  }

  #files(): JobFiles {
    const { net, engine, knobs, scheduler } = this.#parts;
    const fault = (): Error =>
      new engine.DrError('StorageUnavailable', 'The simulated storage does not answer.', { retryable: true });
    const call = <T>(label: string, effect: () => T): Promise<T> =>
      net.call({ label, milliseconds: knobs.storageMs, faults: knobs.storageFaults, effect, fault });
    return {
      open: (container) =>
        call(`open ${container}`, () => {
          if (!this.#containers.has(container)) this.#containers.set(container, new Map());
          this.#madeAt.set(container, scheduler.now);
          return `sim://${container}`;
        }),
      find: (container, title, name = title) =>
        call(`find ${container} ${title}`, () => {
          const bytes = this.#containers.get(container)?.get(name);
          return bytes && { name, sizeBytes: bytes.length };
        }),
      read: (container, name, { offset, length }) =>
        call(
          `read ${container} ${name}`,
          () =>
            this.#containers
              .get(container)
              ?.get(name)
              ?.subarray(offset, offset + length) ?? new Uint8Array(),
        ),
      write: (container, name, bytes) =>
        call(`write ${container} ${name}`, () => void this.#containers.get(container)?.set(name, bytes)),
      address: (container, name) => call(`address ${container}`, () => `sim://${container}/${name}`),
      remove: (container) => call(`remove ${container}`, () => void this.#containers.delete(container)),
      removeBefore: (atMs) =>
        call('remove containers', () => {
          for (const [name, at] of this.#madeAt) if (at < atMs) this.#containers.delete(name);
        }),
    };
  }

  #submit(store: HubStore, container: string, caller: Caller): string {
    const { random, scheduler, sometimes, trace } = this.#parts;
    const { runId = '' } = caller;
    const job: Job = {
      id: `job-${this.all.length + 1}`,
      container,
      hub: store.name,
      runId,
      made: new Set(),
      status: 'Started',
      progress: 0,
      endedAt: undefined,
    };
    this.all.push(job);
    const defect = random.pick(DEFECTS);
    sometimes(`job ${defect}`);
    trace(() => `JOB ${job.id} of ${runId} in ${store.name}: ${defect}`);
    const beginsInMs = random.spread(1000, 2 * MINUTE_MS);
    scheduler.after(beginsInMs, () => this.#begin(store, job, defect, caller));
    return job.id;
  }

  #begin(store: HubStore, job: Job, defect: Defect, caller: Caller): void {
    const { random, scheduler } = this.#parts;
    const file = this.#containers.get(job.container)?.get('input.txt');
    if (file === undefined || defect === 'fails') {
      this.#end(job, 'Failed');
      return;
    }
    job.status = 'Running';
    const lines = Buffer.from(file)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
    if (defect === 'doesNothing') {
      this.#end(job, 'Completed');
      return;
    }
    const sentAt = scheduler.now - 1;
    const said: string[] = [];
    const refused: string[] = [];
    const stepMs = random.spread(1, 2000);
    const isMaking = defect !== 'neverEnds' || random.chance(0.7);
    const delayMs = defect === 'endsLate' || defect === 'neverEnds' ? random.spread(MINUTE_MS, 60 * MINUTE_MS) : 0;
    const next = (at: number): void => {
      const line = lines[at];
      if (line === undefined) {
        if (defect === 'neverEnds') return;
        this.#write(job, 'Output.txt', said);
        this.#write(job, 'Failed.txt', refused);
        this.#end(job, 'Completed');
        return;
      }
      job.progress = Math.floor((100 * at) / lines.length);
      const id =
        isMaking && !(defect === 'losesLines' && random.chance(0.4))
          ? this.#make(store, job, line, { defect, caller, sentAt })
          : undefined;
      if (id === 'refused') refused.push(`${at},BadRequest,Bad Format`);
      else if (id !== undefined) said.push(`${at},${id}`);
      scheduler.after(stepMs, () => next(at + 1));
    };
    scheduler.after(delayMs, () => next(0));
  }

  /** It creates only. */
  #make(
    store: HubStore,
    job: Job,
    line: string,
    { defect, caller, sentAt }: { readonly defect: Defect; readonly caller: Caller; readonly sentAt: number },
  ): string {
    const asked = /<RegistrationId>([^<]*)</.exec(line)?.[1];
    if (defect === 'refusesIds' && asked !== undefined) return 'refused';
    const id = asked === undefined || defect === 'givesIds' ? store.mintId() : asked;
    if (store.row(id) !== undefined) return 'refused';
    const { onMade, trace } = this.#parts;
    const given = readLine(line);
    const by = onMade(job, caller, id, sentAt);
    const made = store.putRegistration(id, given, by);
    trace(() => `JOB ${job.id} ${id} ${made}`);
    if (made !== 'written') return 'refused';
    job.made.add(id);
    return id;
  }

  #write({ container }: Job, name: string, lines: readonly string[]): void {
    this.#containers.get(container)?.set(name, Buffer.from(lines.map((line) => `${line}\n`).join('')));
  }

  #end(job: Job, status: JobLook['status']): void {
    job.status = status;
    job.progress = status === 'Completed' ? 99.99 : job.progress;
    job.endedAt = this.#parts.scheduler.now;
    this.#parts.trace(() => `JOB ${job.id} ${status}, made ${job.made.size}`);
  }
}

/** The base form, with its type as an attribute. */
function readLine(line: string): Description {
  const type = /i:type="(\w+)"/.exec(line)?.[1] ?? '';
  const inside = line.replace(/^<RegistrationDescription [^>]*>/, '').replace(/<\/RegistrationDescription>$/, '');
  const body = /<BodyTemplate>([^<]*)</.exec(inside)?.[1];
  const plain = inside.replace(/<BodyTemplate>[^<]*</, () => `<BodyTemplate><![CDATA[${unescaped(body ?? '')}]]><`);
  return readDescription(`<${type} >${plain}</${type}>`);
}

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function nameIn(url: string): string {
  return url.replace('sim://', '').split('/')[0] ?? '';
}
