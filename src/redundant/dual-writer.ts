import { toInstant } from '../app/app.ts';
import { collectConfirmations } from '../app/dual/confirmed.ts';
import { type DualHub, type Sent, send } from '../app/dual/hub.ts';
import { type Change, hashOf, type Storage, type StoredIntent, storeIntent, write } from '../app/dual/intents.ts';
import { type Repair, remaining, repairIntent } from '../app/dual/repair.ts';
import { CALL_MS, type Device, type Intent } from '../core/dual/intent.ts';
import { DrError } from '../core/errors.ts';
import { fullNameOf, intentName, isSameHub } from '../core/paths.ts';
import type { HubRef, Log } from '../core/ports.ts';
import { RedundantHubError } from './error.ts';
import { afterLast, inTurn, type Line, openLines } from './lines.ts';
import type { Written } from './options.ts';

export interface DualWriterParts extends Storage {
  readonly log: Log;
  readonly hubs: readonly [DualHub, DualHub];
  /** The hub in use, as far as is known. */
  readonly activeHub: () => Promise<HubRef>;
  readonly waitForOtherMs: number;
}

/** How long the hubs have for a write: with an answer that is long in coming it is over well within `CALL_MS`. */
const PATIENCE_MS = 20_000;
const TICK_MS = 5_000;
/** What one process brings to an end itself; the app does the rest. */
const MOST_LEFT = 10_000;
const MOST_PAUSE_MS = 60_000;

interface Left {
  readonly etag: string;
  readonly dueAtMs: number;
  readonly pauseMs: number;
}

/**
 * Writes devices to both hubs. What is intended is stored first; the newest wins; it is removed once both hubs have
 * confirmed that version. What cannot be done now is done later, by this process or by the app.
 */
export class DualWriter {
  readonly #parts: DualWriterParts;
  readonly #lines;
  readonly #confirmations;
  readonly #left = new Map<string, Left>();
  readonly #behind = new Set<Promise<void>>();
  readonly #stop: () => void;

  constructor(parts: DualWriterParts) {
    this.#parts = parts;
    this.#lines = openLines(() => parts.world.now());
    this.#confirmations = collectConfirmations(parts);
    this.#stop = parts.world.repeat(TICK_MS, () => this.#tick());
  }

  /** Resolves once the hub in use has taken it. Throws `RedundantHubError`. */
  async write(change: Change): Promise<Written> {
    const { world, waitForOtherMs } = this.#parts;
    const hash = hashOf(change.device);
    const line = this.#lines.enter(hash);
    let stored: StoredIntent;
    let active: HubRef;
    const deadlineAt = world.now() + PATIENCE_MS;
    try {
      active = await this.#parts.activeHub();
      stored = await inTurn(line, async () => {
        const next = await storeIntent(this.#parts, change, line.known);
        if (next === 'absent') throw refused(change.device, active, 404);
        line.known = next;
        return next;
      });
    } catch (error) {
      this.#lines.leave(hash);
      throw asOurs(error, false);
    }
    const { intent } = stored;
    const calls = this.#parts.hubs.map((hub) => ({
      hub,
      sent: afterLast(line, fullNameOf(hub.ref), () => this.#call(hub, intent, deadlineAt)),
    }));
    const settled = Promise.all(calls.map(async ({ hub, sent }) => [hub, await sent] as const));
    this.#inBackground(async () => {
      try {
        await this.#settle(line, stored, active, await settled);
      } finally {
        this.#lines.leave(hash);
      }
    });
    const [inUse, other] = isSameHub(calls[0]?.hub.ref ?? active, active) ? calls : calls.toReversed();
    const sent = await inUse?.sent;
    if (sent === undefined) throw new DrError('Internal', 'No hub is in use.');
    if (sent.kind === 'failed') throw asOurs(sent.error, true);
    if (sent.kind === 'refused') throw refused(change.device, active, sent.status);
    const second = await Promise.race([other?.sent, world.sleep(waitForOtherMs)]);
    return { active: 'ok', other: second?.kind === 'taken' ? 'ok' : 'queued' };
  }

  /** Once nothing of what was begun is under way. What is not done by then stays for the app. */
  async close(): Promise<void> {
    this.#stop();
    while (this.#behind.size > 0) await Promise.all(this.#behind);
    await this.#confirmations.flush();
  }

  #call(hub: DualHub, { device, state }: Intent, deadlineAt: number): Promise<Sent> {
    if (this.#parts.world.now() >= deadlineAt) {
      const message = `Hub ${fullNameOf(hub.ref)} has not answered the call before this one in time.`;
      const error = new DrError('HubUnavailable', message, { retryable: true, hasNoEffect: true });
      return Promise.resolve({ kind: 'failed', error, isLanding: false });
    }
    return send(this.#parts, hub, device, state, { deadlineAt });
  }

  /** What both hubs have confirmed is removed, unless it was overtaken; of the rest it is stored what is missing. */
  async #settle(line: Line, stored: StoredIntent, active: HubRef, results: readonly (readonly [DualHub, Sent])[]) {
    const { world, hubs } = this.#parts;
    for (const [{ ref }, sent] of results) {
      if (sent.isLanding) line.landing.set(fullNameOf(ref), world.now() + CALL_MS);
    }
    const isConfirmed = results.every(([, sent]) => sent.kind === 'taken');
    if (isConfirmed) this.#confirmations.add(stored.intent.keyHash);
    await inTurn(line, async () => {
      if (line.known?.etag !== stored.etag) return;
      line.known = undefined;
      const next = this.#leftOf(line, stored.intent, active, results);
      const name = intentName(hashOf(stored.intent.device));
      if (next === undefined) {
        await this.#parts.blobs.remove(name, stored.etag);
        return;
      }
      const etag = await write(this.#parts, next, stored.etag);
      if (etag === 'conflict') return;
      line.known = { intent: next, etag };
      const pauseMs = next.quietUntil === undefined ? TICK_MS : CALL_MS;
      if (this.#left.size < MOST_LEFT && next.refused.length < hubs.length) this.#leave(name, etag, pauseMs);
    });
  }

  /** `undefined`: it is done. */
  #leftOf(
    line: Line,
    intent: Intent,
    active: HubRef,
    results: readonly (readonly [DualHub, Sent])[],
  ): Intent | undefined {
    const { world, hubs } = this.#parts;
    const nowMs = world.storageNow();
    const landing = [...line.landing].filter(([, untilMs]) => untilMs > world.now());
    const landedMs = Math.max(0, ...landing.map(([, untilMs]) => untilMs - world.now()));
    const quietUntil = landedMs > 0 ? toInstant(nowMs + landedMs) : intent.quietUntil;
    const isSure = (hub: string): boolean =>
      intent.quietUntil === undefined && landing.every(([other]) => other !== hub);
    const next = remaining({ active, hubs }, intent, results, toInstant(nowMs), isSure);
    return next === undefined || quietUntil === undefined ? next : { ...next, quietUntil };
  }

  #leave(name: string, etag: string, pauseMs: number): void {
    this.#left.set(name, { etag, pauseMs, dueAtMs: this.#parts.world.now() + pauseMs });
  }

  #inBackground(work: () => Promise<void>): void {
    const done = work().catch((error: unknown) => this.#warn('intended write left', error));
    this.#behind.add(done);
    void done.finally(() => this.#behind.delete(done));
  }

  /** Brings what this process left behind to its end; a hub that is away ends the round. */
  async #tick(): Promise<void> {
    try {
      this.#lines.tidy();
      await this.#confirmations.flush();
      await this.#repairDue();
    } catch (error) {
      this.#warn('repair of intended writes deferred', error);
    }
  }

  async #repairDue(): Promise<void> {
    const { world } = this.#parts;
    const due = [...this.#left].filter(([, { dueAtMs }]) => dueAtMs <= world.now());
    if (due.length === 0) return;
    const active = await this.#parts.activeHub();
    const repair: Repair = {
      ...this.#parts,
      active,
      onConfirmed: (keyHash) => this.#confirmations.add(keyHash),
    };
    for (const [name, left] of due) {
      if (this.#left.get(name) !== left) continue;
      this.#left.delete(name);
      const repaired = await repairIntent(repair, name, left.etag);
      if (repaired === 'done' || repaired === 'refused') continue;
      // Its version is no longer the one that this process knows: from now on it goes by its age.
      this.#leave(name, '', Math.max(CALL_MS, Math.min(2 * left.pauseMs, MOST_PAUSE_MS)));
      if (typeof repaired === 'object') return;
    }
  }

  #warn(message: string, error: unknown): void {
    const code = error instanceof DrError ? error.code : 'Internal';
    this.#parts.log.warn(message, { code, reason: error instanceof DrError ? error.message : undefined });
  }
}

function asOurs(error: unknown, isQueued: boolean): unknown {
  if (!(error instanceof DrError)) return error;
  const more = isQueued ? ' What was intended is stored and will be carried out.' : '';
  return new RedundantHubError(error.code, `${error.message}${more}`, { isQueued, cause: error });
}

function refused({ kind }: Device, hub: HubRef, status: number): RedundantHubError {
  const where = `hub ${fullNameOf(hub)}`;
  return status === 404
    ? new RedundantHubError('NotFound', `The ${where} has no such ${kind}: create it first.`, { status })
    : new RedundantHubError('Refused', `The ${where} does not take this ${kind} (${status}).`, { status });
}
