import type { Run } from '../../../src/core/run/run.ts';
import type { HubStore, RowChange } from '../hub-store.ts';
import type { Caller } from '../net.ts';
import type { Row } from '../row.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Container } from '../storage.ts';
import type { Truth } from '../truth.ts';
import { judgeBackup } from './backups.ts';
import { judgeEnd } from './ends.ts';
import { judgeLast } from './last.ts';
import { judgeRollback } from './rollbacks.ts';
import { hubOf, isRestore, isWriter, type KnownRun, KnownRuns } from './runs.ts';
import { judgeChange } from './writes.ts';

/** Something that must never happen. */
export interface Violation {
  readonly kind: string;
  readonly at: number;
  readonly text: string;
}

export interface OracleParts {
  readonly scheduler: Scheduler;
  readonly truth: Truth;
  readonly container: Container;
  readonly hubs: ReadonlyMap<string, HubStore>;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
}

/** A run that says all is well is looked at again after this, when what was on its way has arrived. */
const SECOND_LOOK_MS = 300_000;

/** Knows what really happened, and judges what the app made of it and says about it. It is no part of the app. */
export class Oracle {
  readonly parts: OracleParts;
  readonly runs = new KnownRuns();
  readonly violations: Violation[] = [];
  /** By hub, which role the settings give it since when: `primary` is the one in use. */
  readonly #roles: { readonly at: number; readonly primary: string }[] = [];
  /** By hub and device, when it, or the service, last changed its rows there. */
  readonly #foreignChanges = new Map<string, number>();
  /** By hub and device, when the service itself last lost a row of it. */
  readonly #losses = new Map<string, number>();
  readonly #changeCounts = new Map<string, number>();

  constructor(parts: OracleParts) {
    this.parts = parts;
  }

  violate(kind: string, text: string): void {
    this.parts.trace(() => `VIOLATION ${kind}: ${text}`);
    this.violations.push({ kind, at: this.parts.scheduler.now, text });
  }

  settingsChanged(primary: string): void {
    this.#roles.push({ at: this.parts.scheduler.now, primary });
  }

  /** Whether the settings called it primary at that time. */
  wasInUse(hub: string, at: number): boolean {
    return this.#roles.findLast((role) => role.at <= at)?.primary === hub;
  }

  /** Whether its device, or the service, changed a device's rows there at or after that time. */
  changedSince(hub: string, device: number, at: number): boolean {
    return (this.#foreignChanges.get(`${hub} ${device}`) ?? -1) >= at;
  }

  /** Whether the service itself ever lost a row of the device there, since it last spoke there. */
  wasLost(hub: string, device: number): boolean {
    const lostAt = this.#losses.get(`${hub} ${device}`);
    return lostAt !== undefined && lostAt >= (this.parts.truth.lastWordAt(device, hub)?.at ?? 0);
  }

  changeCount(hub: string): number {
    return this.#changeCounts.get(hub) ?? 0;
  }

  rowsOf(hub: string): readonly Row[] {
    return this.parts.hubs.get(hub)?.rows() ?? [];
  }

  rowChanged(change: RowChange): void {
    const { hub, before, after, by } = change;
    this.#changeCounts.set(hub, this.changeCount(hub) + 1);
    const row = after ?? before;
    if (row === undefined) return;
    if (by.kind === 'tool') return judgeChange(this, change, by.runId);
    const key = `${hub} ${this.parts.truth.deviceOf(row)}`;
    this.#foreignChanges.set(key, this.parts.scheduler.now);
    // A handle that changed under its id was its device's, too.
    if (before !== undefined)
      this.#foreignChanges.set(`${hub} ${this.parts.truth.deviceOf(before)}`, this.parts.scheduler.now);
    if (by.kind === 'service') this.#losses.set(key, this.parts.scheduler.now);
  }

  listingBegan(hub: string, { runId }: Caller): void {
    const run = runId === undefined ? undefined : this.runs.get(runId);
    if (run === undefined) return;
    run.listedAt.set(hub, this.parts.scheduler.now);
    if (run.firstListedAt !== undefined || hub !== hubOf(run)) return;
    run.firstListedAt = this.parts.scheduler.now;
    run.before = this.rowsOf(hub);
    run.changesBefore = this.changeCount(hub);
  }

  written({ caller, key, sentAt }: { hub: string; caller: Caller; key: string; sentAt: number }): void {
    const run = caller.runId === undefined ? undefined : this.runs.get(caller.runId);
    if (run === undefined) return;
    run.written.set(key, (run.written.get(key) ?? 0) + 1);
    run.lastSentAt = Math.max(run.lastSentAt, sentAt);
  }

  runStored(doc: Run): void {
    const run = this.runs.store(doc);
    const isOver = doc.status === 'Succeeded' || doc.status === 'Failed' || doc.status === 'Canceled';
    if (!isOver || run.endedAt !== undefined) return;
    run.endedAt = this.parts.scheduler.now;
    this.parts.trace(
      () => `RUN ${doc.id} ${doc.status} ${JSON.stringify(doc.kind === 'restore' ? doc.result?.counts : {})}`,
    );
    this.parts.sometimes(`${doc.kind === 'restore' ? doc.request.purpose : doc.kind}${doc.status}`);
    if (doc.kind === 'backup') judgeBackup(this, run);
    if (!isRestore(run)) return;
    if (doc.kind === 'restore' && doc.request.purpose === 'rollback') judgeRollback(this, run);
    else judgeEnd(this, run, '');
    this.parts.scheduler.after(SECOND_LOOK_MS, () => this.#lookAgain(run));
  }

  /** When everything has come to rest. */
  end(): void {
    judgeLast(this);
  }

  #lookAgain(run: KnownRun): void {
    if (!isRestore(run) || this.isFollowed(run)) return;
    if (run.doc.request.purpose === 'rollback') judgeRollback(this, run, 'Later');
    else judgeEnd(this, run, 'Later');
  }

  /** Whether another run has begun to write to its hub since it began. */
  isFollowed(run: KnownRun): boolean {
    return this.runs
      .all()
      .some(
        (other) =>
          other !== run && isWriter(other) && hubOf(other) === hubOf(run) && other.doc.createdAt > run.doc.createdAt,
      );
  }
}
