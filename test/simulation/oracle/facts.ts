import type { Role } from '../../../src/core/run/role.ts';
import type { HubStore } from '../hub-store.ts';
import type { KnownJobs } from '../jobs/job.ts';
import type { Knobs } from '../knobs.ts';
import { Poison } from '../poison/poison.ts';
import { type Description, isOfRecord, type Row } from '../row.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Container } from '../storage.ts';
import type { Truth } from '../truth.ts';
import { hubOf, isRestore, isWriter, type KnownRestore, type KnownRun, KnownRuns, recordOf } from './runs.ts';
import { readSnapshot } from './snapshots.ts';

/** Something that must never happen. */
export interface Violation {
  readonly kind: string;
  readonly at: number;
  readonly text: string;
}

export interface FactParts {
  readonly scheduler: Scheduler;
  readonly truth: Truth;
  readonly container: Container;
  readonly hubs: ReadonlyMap<string, HubStore>;
  readonly knobs: Knobs;
  /** Absent where there is none. */
  readonly poison?: Poison;
  readonly jobs?: () => KnownJobs | undefined;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
}

const NO_POISON = new Poison(1, 0);

interface ToolChange {
  readonly runId: string;
  readonly at: number;
}

/** How a restore fails that has looked at all it wrote. */
const AT_THE_END: ReadonlySet<string> = new Set(['RestoreIncomplete', 'TargetAltersRecords']);
/** A service that takes effect later than this is waited for by no run. */
const VERY_LATE_MS = 30_000;

/** What the oracle knows and the app does not: what happened in each hub, when, and by whom. */
export class Facts {
  readonly truth: Truth;
  readonly container: Container;
  readonly sometimes: (what: string) => void;
  readonly runs = new KnownRuns();
  readonly violations: Violation[] = [];
  readonly kinds = new Set<string>();
  readonly #parts: FactParts;
  /** As last stored. */
  role: Role | undefined;
  roleStoredAt = 0;
  readonly #roles: { readonly at: number; readonly inUse: string; seenAt: number | undefined }[] = [];
  readonly #foreignChanges = new Map<string, number>();
  readonly #losses = new Map<string, number>();
  readonly #lateRemovals = new Map<string, number>();
  readonly #toolChanges = new Map<string, ToolChange>();
  readonly #strays = new Map<string, readonly ToolChange[]>();
  readonly #changeCounts = new Map<string, number>();
  readonly #shown = new Map<string, Set<string>>();

  constructor(parts: FactParts) {
    this.#parts = parts;
    this.truth = parts.truth;
    this.container = parts.container;
    this.sometimes = parts.sometimes;
  }

  get knobs(): Knobs {
    return this.#parts.knobs;
  }

  get jobs(): KnownJobs | undefined {
    return this.#parts.jobs?.();
  }

  get poison(): Poison {
    return this.#parts.poison ?? NO_POISON;
  }

  get now(): number {
    return this.#parts.scheduler.now;
  }

  violate(kind: string, text: string): void {
    this.trace(() => `VIOLATION ${kind}: ${text}`);
    this.violations.push({ kind, at: this.now, text });
    this.kinds.add(kind.replace(/Later$/, ''));
  }

  trace(line: () => string): void {
    this.#parts.trace(line);
  }

  hub(name: string): HubStore | undefined {
    return this.#parts.hubs.get(name);
  }

  rowsOf(hub: string): readonly Row[] {
    return this.hub(hub)?.lastingRows() ?? [];
  }

  /** Devices of which the service is about to remove a row. */
  leavingDevices(hub: string): Set<number> {
    const lasting = new Set(this.rowsOf(hub));
    const leaving = (this.hub(hub)?.rows() ?? []).filter((row) => !lasting.has(row));
    return new Set(leaving.map((row) => this.truth.deviceOf(row)));
  }

  rowsOfDevice(hub: string, device: number): Row[] {
    return this.rowsOf(hub).filter((row) => this.truth.deviceOf(row) === device);
  }

  /** `isStored`: no run has to see that first. */
  noteRole(inUse: string, isStored: boolean): void {
    this.#roles.push({ at: this.now, inUse, seenAt: isStored ? this.now : undefined });
  }

  /** Whether the settings, or a declared role, said so at that time. */
  wasInUse(hub: string, at: number): boolean {
    return this.#roles.findLast((role) => role.at <= at)?.inUse === hub;
  }

  /** When a declared role put the other hub into use, where the hub was so at that time. */
  endOfTerm(hub: string, at: number): number | undefined {
    if (this.role?.declared === undefined || !this.wasInUse(hub, at)) return undefined;
    return this.#roles.find((role) => role.at > at && role.inUse !== hub)?.at;
  }

  /** A run began: it sees what the settings say. */
  noteRun(): void {
    const newest = this.#roles.at(-1);
    if (newest !== undefined) newest.seenAt ??= this.now;
  }

  /** Likewise, as far as a run had seen the settings by then. */
  wasKnownInUse(hub: string, at: number): boolean {
    return this.#roles.findLast(({ seenAt }) => seenAt !== undefined && seenAt <= at)?.inUse === hub;
  }

  wasEverInUse(hub: string): boolean {
    return this.#roles.some(({ inUse }) => inUse === hub);
  }

  noteChange(hub: string): void {
    this.#changeCounts.set(hub, this.changeCount(hub) + 1);
  }

  /** How often any row of it changed. */
  changeCount(hub: string): number {
    return this.#changeCounts.get(hub) ?? 0;
  }

  /** Its device, or the service, changed a row. */
  noteForeignChange(hub: string, row: Row, isLoss: boolean): void {
    const key = `${hub} ${this.truth.deviceOf(row)}`;
    this.#foreignChanges.set(key, this.now);
    if (isLoss) this.#losses.set(key, this.now);
  }

  noteShown(hub: string, row: Row, { id }: KnownRun): void {
    const key = `${hub} ${recordOf(row)}`;
    const known = this.#shown.get(key);
    if (known === undefined) this.#shown.set(key, new Set([id]));
    else known.add(id);
  }

  /**
   * Whether a restore that agreed on what it met, and whose snapshot held the record that the row belongs to, has met it
   * in that hub. What only backups, or listings of a target, have shown is compared with nothing.
   */
  hasMet(hub: string, row: Row): boolean {
    const shownTo = this.#showersOf(hub, row);
    const hasMet = ({ id, doc: { request } }: KnownRestore): boolean =>
      shownTo.has(id) || shownTo.has(request.snapshotId);
    return this.#agreed().some((run) => hasMet(run) && this.#isHeldBy(run, row));
  }

  /** Whether one of these had the record in its snapshot, of whichever hub. */
  wasAgreedOn(row: Row): boolean {
    return this.#agreed().some((run) => this.#isHeldBy(run, row));
  }

  /** An installation without its native row may be another one than its device's last: that is not remembered. */
  #isHeldBy({ doc: { request } }: KnownRestore, row: Row): boolean {
    const { sourceHub, snapshotId } = request;
    if (!this.#showersOf(sourceHub.namespace, row).has(snapshotId)) return false;
    if (row.installationId === undefined) return true;
    const held = readSnapshot(this.container, sourceHub, snapshotId).filter(isOfRecord(row));
    return held.length === 0 || held.some(({ body }) => body === undefined);
  }

  #showersOf(hub: string, row: Row): ReadonlySet<string> {
    return this.#shown.get(`${hub} ${recordOf(row)}`) ?? new Set<string>();
  }

  /**
   * Restores that agreed on what they met: not one that was cancelled, given up, or undone, nor a repair in place; and a
   * rollback agrees on what had been agreed on before.
   */
  #agreed(): KnownRestore[] {
    const hasAgreed = ({ id, doc: { hub: target, request, result, status, error } }: KnownRestore): boolean =>
      request.purpose !== 'rollback' &&
      !this.#isUndone(id) &&
      request.sourceHub.namespace !== target.namespace &&
      (result === undefined || status === 'Succeeded' || (error !== undefined && AT_THE_END.has(error.code)));
    return this.runs.all().filter(isRestore).filter(hasAgreed);
  }

  #isUndone(id: string): boolean {
    return this.runs
      .all()
      .some((one) => isRestore(one) && one.doc.request.of === id && isRollback(one) && one.doc.status === 'Succeeded');
  }

  noteToolChange(hub: string, row: Row, runId: string): void {
    const change = { runId, at: this.now };
    const device = this.truth.deviceOf(row);
    const key = `${hub} ${device}`;
    this.runs.get(runId)?.changed.add(recordOf(row));
    this.#toolChanges.set(key, change);
    if (this.#isAfterItsEnd(change)) this.#strays.set(key, [...(this.#strays.get(key) ?? []), change]);
  }

  /** Whether a write of a run other than these took effect there after that time, and after that run's end. */
  hadStray(hub: string, device: number, but: readonly KnownRun[], since: number): boolean {
    const isOther = ({ runId }: ToolChange): boolean => but.every(({ id }) => id !== runId);
    return this.#strays.get(`${hub} ${device}`)?.some((one) => isOther(one) && one.at >= since) === true;
  }

  /** Whether a write of the run took effect there after that time. */
  hadWriteOf(hub: string, { id }: KnownRun, since: number): boolean {
    return [...this.#toolChanges].some(
      ([key, { runId, at }]) => key.startsWith(`${hub} `) && runId === id && at > since,
    );
  }

  /** Whether a write that another run had sent took effect at or after that time, so late that no look shows it. */
  hadLateWrite(hub: string, device: number, run: KnownRun, since: number): boolean {
    const change = this.#toolChanges.get(`${hub} ${device}`);
    const [, most] = this.hub(hub)?.knobs.installationDelayMs ?? [0, 0];
    return change !== undefined && change.runId !== run.id && change.at >= since && most >= VERY_LATE_MS;
  }

  /** Whether its device, or the service, changed a device's rows there at or after that time. */
  changedSince(hub: string, device: number, at: number): boolean {
    return (this.#foreignChanges.get(`${hub} ${device}`) ?? -1) >= at;
  }

  /** A hub carried out a removal for which no run could wait any more. */
  noteLateRemoval(hub: string, row: Row): void {
    this.#lateRemovals.set(`${hub} ${this.truth.deviceOf(row)}`, this.now);
  }

  /** Whether it did so to a row of the device at or after that time. */
  removedLateSince(hub: string, device: number, at: number): boolean {
    return (this.#lateRemovals.get(`${hub} ${device}`) ?? -1) >= at;
  }

  /** When the service last lost a row of the device there. */
  lostAt(hub: string, device: number): number | undefined {
    return this.#losses.get(`${hub} ${device}`);
  }

  /** Whether the service itself lost a row of the device there, since it last spoke there, as of `at`. */
  wasLost(hub: string, device: number, at = Number.POSITIVE_INFINITY): boolean {
    const lostAt = this.#losses.get(`${hub} ${device}`);
    const word = this.truth.wordsOf(device).findLast((one) => one.hub === hub && one.content !== 'out' && one.at < at);
    return lostAt !== undefined && lostAt >= (word?.at ?? 0);
  }

  /** Likewise, while the settings called it primary. */
  wasLostInUse(hub: string, device: number): boolean {
    return this.wasLost(hub, device) && this.wasInUse(hub, this.#losses.get(`${hub} ${device}`) ?? 0);
  }

  /** Whether a run wrote it that ended because its hub stores something else than it is sent, or before it saw that. */
  isAltered({ by }: Row): boolean {
    const run = by.kind === 'tool' ? this.runs.get(by.runId) : undefined;
    if (run === undefined) return false;
    const isUnfinished = run.doc.status !== 'Succeeded' && this.hub(hubOf(run))?.knobs.dropsTags === true;
    return isUnfinished || run.doc.error?.code === 'TargetAltersRecords';
  }

  /** Whether it has fewer tags than its device gave it: its hub dropped some, or the one it comes from did. */
  isShortened(row: Description): boolean {
    const content = this.truth.wordOf(row)?.content;
    return content !== undefined && content !== 'out' && row.tags.length < content.tags.length;
  }

  /** Whether its device wrote it there, or a rollback put back what its device had written there. */
  isOwnWord(row: Row): boolean {
    if (row.by.kind !== 'tool') return row.by.kind === 'device';
    const run = this.runs.get(row.by.runId);
    const isPutBack = run !== undefined && isRestore(run) && run.doc.request.purpose === 'rollback';
    return isPutBack && this.truth.wordOf(row)?.hub === hubOf(run);
  }

  /** Whether a hub carried out a call for which no run could wait any more. */
  isOfGivenUpCall({ by, id, installationId = '' }: Row): boolean {
    const run = by.kind === 'tool' ? this.runs.get(by.runId) : undefined;
    return run?.givenUp.has(id) === true || run?.givenUp.has(installationId) === true;
  }

  /** Whether it came after the end of the run that wrote it, in a hub so late that nothing waits for it. */
  isStray({ by, appliedAt }: Row): boolean {
    return by.kind === 'tool' && this.#isAfterItsEnd({ runId: by.runId, at: appliedAt });
  }

  /** Whether that took away what the hub held of a device, which has not spoken there since. */
  isGoneByAStray(hub: string, device: number): boolean {
    const last = this.#toolChanges.get(`${hub} ${device}`);
    if (last === undefined || this.rowsOfDevice(hub, device).length > 0) return false;
    return this.#isAfterItsEnd(last) && !this.changedSince(hub, device, last.at);
  }

  #isAfterItsEnd({ runId, at }: ToolChange): boolean {
    const run = this.runs.get(runId);
    if (run?.endedAt === undefined || at <= run.endedAt) return false;
    const [, most] = this.hub(hubOf(run))?.knobs.installationDelayMs ?? [0, 0];
    return most >= VERY_LATE_MS;
  }

  /** Whether another run has begun to write to its hub since it began. */
  isFollowed(run: KnownRun): boolean {
    const isLater = (other: KnownRun): boolean =>
      other !== run && isWriter(other) && hubOf(other) === hubOf(run) && other.begunAt > run.begunAt;
    return this.runs.all().some(isLater);
  }
}

function isRollback({ doc }: KnownRestore): boolean {
  return doc.request.purpose === 'rollback';
}
