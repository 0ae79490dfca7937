import type { Run } from '../../../src/core/run/run.ts';
import type { Step } from '../../../src/core/run/step.ts';
import type { Host } from '../hosts.ts';
import type { Caller } from '../net.ts';
import type { Door } from '../night.ts';
import type { Message } from '../queue.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Stored } from '../storage.ts';

export interface LifeParts {
  readonly scheduler: Scheduler;
  readonly hosts: () => readonly Host[];
  readonly doors: ReadonlyMap<string, Door>;
  readonly violate: (kind: string, text: string) => void;
}

/** Nothing moves: with a second process that has worked at the run, and without. */
const STANDSTILL_MS = 75_000;
const STANDSTILL_OF_TWO_MS = 45_000;
/** By the storage's whole seconds a lease may look a second older than it is. */
const LIVING_MS = 19_000;
/** The former holder of a lease notices within a renewal or two that it has lost it. */
const NOTICED_MS = 30_000;
/** A call that takes longer is waited for: it is its service that is slow. */
const SLOW_MS = 1000;
/** A watch that was frozen over its look ends it within this. */
const LOOK_MS = 5000;
/** A run that ends because its hub stays away has waited for an hour, less what it was given up by faults. */
const AWAY_MS = 45 * 60_000;
const LOOK_BACK_MS = 3 * 60 * 60_000;

interface Watched {
  movedAt: number;
  /** It waits, or a call of it is under way, until then. */
  busyUntil: number;
  /** How often its lost steps were enqueued again without any progress, and for which shards left to do. */
  kicks: string;
  /** Of these times, those before which nothing was lost. */
  needlessKicks: number;
  /** A process has died, or frozen, with a step of it since the last such time, or a message of it went astray. */
  hasLost: boolean;
  /** Its lost steps were enqueued again, as its document says, and no message of it has come to the queue since. */
  isAwaited: boolean;
  /** Messages of it are on their way to the queue; they do not arrive where their sender dies, or its call fails. */
  isSending: boolean;
}

/** Judges whether runs live: what makes no progress, works twice, is queued twice, or is given up too early. */
export class Life {
  readonly #parts: LifeParts;
  readonly #watched = new Map<string, Watched>();
  readonly #phases = new Map<string, string>();
  /** Since when a lease belongs to its holder. */
  readonly #held = new Map<string, { readonly holder: string; readonly since: number; renewedAt: number }>();
  /** The last disturbance: what it costs is counted from then on. */
  #disturbedAt = 0;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  disturbed(): void {
    this.#disturbedAt = Math.max(this.#disturbedAt, this.#parts.scheduler.now);
  }

  /** Steps of these runs died with their process, or froze, or their messages went astray. */
  lost(runIds: readonly string[]): void {
    this.disturbed();
    for (const runId of runIds) {
      const run = this.#watched.get(runId);
      if (run !== undefined) run.hasLost = true;
    }
    // Who was to enqueue them may be the one that died.
    for (const run of this.#watched.values()) run.hasLost ||= run.isAwaited;
  }

  sending(runId: string): void {
    const run = this.#watched.get(runId);
    if (run !== undefined) run.isSending = true;
  }

  /** A process begins a call of this length. */
  called({ runId }: Caller, isOfHub: boolean, milliseconds: number): void {
    const { now } = this.#parts.scheduler;
    const run = runId === undefined ? undefined : this.#watched.get(runId);
    if (isOfHub && run !== undefined && runId !== undefined) {
      this.#moved(runId);
      run.busyUntil = Math.max(run.busyUntil, now + milliseconds);
    } else if (milliseconds > SLOW_MS) this.#disturbedAt = Math.max(this.#disturbedAt, now + milliseconds);
  }

  runStored(run: Run): void {
    const { now } = this.#parts.scheduler;
    const { name, pass, wave = 0, startedAt, notBefore = startedAt } = run.phase;
    const known = this.#watched.get(run.id);
    // One that is over may be stored again, while a call of it is under way still.
    if (known === undefined && run.finishedAt === undefined) {
      const life = { kicks: kicksOf(run), needlessKicks: 0, hasLost: false, isSending: false, isAwaited: false };
      this.#watched.set(run.id, { movedAt: now, busyUntil: now, ...life });
    }
    const { hosts } = this.#parts;
    const hasWoken = hosts().some(({ pausedUntil }) => pausedUntil <= now && now - pausedUntil < LOOK_MS);
    if (known !== undefined) noteKicks(known, run, hasWoken);
    const at = `${run.status} ${name} ${pass} ${wave}`;
    if (this.#phases.get(run.id) === at) return;
    this.#phases.set(run.id, at);
    this.#moved(run.id);
    // Both by its mover's clock.
    this.#busy(run.id, now + Date.parse(notBefore) - Date.parse(startedAt));
    if (run.finishedAt === undefined) return;
    this.#judgeEnd(run);
    this.#watched.delete(run.id);
  }

  /** A blob below a run's folder was written, or removed. */
  blobStored(name: string, after: Stored | undefined): void {
    const [, , runId = ''] = name.split('/');
    const known = this.#held.get(name);
    const { holder = '', waits, delay_ms: delayMs = 0 } = after?.facts ?? {};
    const { now } = this.#parts.scheduler;
    if (!/\/live\/[^/]+$/.test(name)) {
      if (!name.endsWith('/run.json')) this.#moved(runId);
      return;
    }
    if (after === undefined || waits === '1') {
      this.#held.delete(name);
      this.#moved(runId);
      if (waits === '1') this.#busy(runId, now + Number(delayMs));
    } else if (known?.holder === holder) known.renewedAt = now;
    else {
      if (known !== undefined && now - known.renewedAt < LIVING_MS)
        this.#parts.violate('tookALivingStep', `${holder} from ${known.holder}: ${name}`);
      this.#held.set(name, { holder, since: now, renewedAt: now });
      this.#moved(runId);
    }
  }

  /** A step writes to its hub, while another process has had its lease for some time. */
  wrote({ process, step }: Caller, leaseName: (step: Step) => string, sentAt: number): void {
    const lease = step && this.#held.get(leaseName(step));
    if (step === undefined || lease === undefined || lease.holder === process.holder) return;
    const hadMs = sentAt - Math.max(lease.since, process.pausedUntil, this.#disturbedAt);
    const isLiving = this.#parts.scheduler.now - lease.renewedAt < LIVING_MS;
    if (isLiving && hadMs > NOTICED_MS)
      this.#parts.violate('wroteBesideALivingStep', `${process.name} in ${step.runId}, shard ${step.shard ?? 0}`);
  }

  /**
   * A message was enqueued. A process that was disturbed since another one was may not know that it is there: then both
   * are odd, as is what continues their step while both are there.
   */
  sent(message: Message, others: Iterable<Message>, sender: Caller['message']): void {
    const run = this.#watched.get(message.runId);
    if (run !== undefined) {
      run.isSending = false;
      run.isAwaited = false;
    }
    const same = [...others].filter((other) => other !== sender && isOfSameStep(other, message));
    const isOfOdd = sender?.isOdd === true && sender.step === message.step;
    const excused = same.filter((other) => isOfOdd || other.isOdd || other.sentAt <= this.#disturbedAt);
    for (const other of excused) other.isOdd = true;
    message.isOdd ||= excused.length > 0;
    const [other] = message.isOdd ? [] : same.filter(({ isFree }) => isFree);
    if (other !== undefined) this.#parts.violate('queuedTwice', `${message.text} beside ${other.text}`);
  }

  #busy(runId: string, until: number): void {
    const run = this.#watched.get(runId);
    if (run !== undefined) run.busyUntil = Math.max(run.busyUntil, until);
  }

  #moved(runId: string): void {
    const run = this.#watched.get(runId);
    if (run === undefined) return;
    const { hosts, scheduler, violate } = this.#parts;
    const woke = hosts().map(({ pausedUntil }) => (pausedUntil > scheduler.now ? 0 : pausedUntil));
    const since = Math.max(run.movedAt, run.busyUntil, this.#disturbedAt, ...woke);
    const isOfTwo = hosts().some((host) => host.isWell && host.hasWatched(runId, since));
    const stoodMs = scheduler.now - since;
    if (stoodMs > (isOfTwo ? STANDSTILL_OF_TWO_MS : STANDSTILL_MS))
      violate('standstill', `${runId} for ${Math.round(stoodMs / 1000)} s${isOfTwo ? ' beside a living process' : ''}`);
    run.movedAt = scheduler.now;
  }

  #judgeEnd({ id, kind, hub, error, ...run }: Run): void {
    const { doors, scheduler, violate } = this.#parts;
    const watched = this.#watched.get(id);
    // Only a run whose steps are lost each time is given up because nothing moves.
    if (error?.code === 'RunStuck' && watched !== undefined && (watched.needlessKicks > 0 || !isLosing(watched)))
      violate('stuck', `${kind} ${id} in ${run.phase.name}`);
    if (error?.code !== 'HubUnavailable') return;
    const from = scheduler.now - LOOK_BACK_MS;
    const awayMs = [...doors.values()].map(({ outages }) =>
      outages.reduce((sum, one) => sum + Math.max(0, Math.min(one.until, scheduler.now) - Math.max(one.from, from)), 0),
    );
    if (Math.max(...awayMs) < AWAY_MS) violate('gaveUpOnALivingHub', `${kind} ${id}`);
    const { outages = [] } = doors.get(hub.namespace) ?? {};
    if (kind === 'restore' && outages.length === 0) violate('neededItsSource', `${id} in ${run.phase.name}`);
  }
}

function isOfSameStep(a: Message, b: Message): boolean {
  return a.queue === b.queue && a.step === b.step;
}

function kicksOf({ kicks, openAtKick = 0 }: Run): string {
  return `${kicks} ${openAtKick}`;
}

/**
 * As the app counts them: after progress they are counted from the start. By one that was frozen over its look they may
 * come too early: what has taken the lost step up since, and died, has its lease still, and the loss is still to be seen.
 */
function noteKicks(known: Watched, run: Run, hasWoken: boolean): void {
  const kicks = kicksOf(run);
  if (known.kicks === kicks) return;
  known.kicks = kicks;
  if (run.kicks <= 1) known.needlessKicks = 0;
  // They are forgotten when a step ends; what was lost of another one is still to be enqueued.
  if (run.kicks === 0) return;
  if (!isLosing(known)) known.needlessKicks += 1;
  known.hasLost &&= hasWoken;
  known.isSending = false;
  known.isAwaited = true;
}

function isLosing({ hasLost, isSending }: Watched): boolean {
  return hasLost || isSending;
}
