import type { Drill } from '../../../src/core/readiness/drill.ts';
import type { Role } from '../../../src/core/run/role.ts';
import type { Run } from '../../../src/core/run/run.ts';
import type { RowChange } from '../hub-store.ts';
import type { Caller, Process } from '../net.ts';
import type { Row, Writer } from '../row.ts';
import { judgeBackup } from './backups.ts';
import { judgeDrill } from './drills.ts';
import { judgeEnd } from './ends.ts';
import { type FactParts, Facts, type Violation } from './facts.ts';
import { Kept } from './kept.ts';
import { judgeLast } from './last.ts';
import { judgeSetAside } from './poison.ts';
import { judgeRollback } from './rollbacks.ts';
import {
  hubOf,
  isRestore,
  type KnownRestore,
  type KnownRun,
  type KnownRuns,
  keyOf,
  lookedBefore,
  versionOf,
} from './runs.ts';
import { judgeStandby, judgeSync, judgeSyncWrite } from './syncs.ts';
import { judgeChange } from './writes.ts';

/** A run that says all is well is looked at again after this, when what was on its way has arrived. */
const SECOND_LOOK_MS = 300_000;

/** What a step's last call may take beyond the step's time. */
const LAST_CALL_MS = 60_000;

/** Letters of records that are being written. */
const UNDER_WAY = /[CUNMWRP]/g;

/** A write as a hub takes it: `call` is its kind. */
export interface HubWrite {
  readonly caller: Caller;
  readonly call: string;
  readonly key: string;
  readonly sentAt: number;
  /** Of what an import job makes. */
  readonly isOfJob?: boolean;
}

const WRITES: ReadonlySet<string> = new Set(['put', 'delete', 'install', 'uninstall']);

/** Watches everything that happens, and judges what the app made of it and says about it. It is no part of the app. */
export class Oracle {
  readonly #facts: Facts;
  readonly #parts: FactParts;
  /** Of seeds in which snapshots are kept and removed beside the runs. */
  readonly kept: Kept;
  #confirm: string | undefined;

  constructor(parts: FactParts) {
    this.#parts = parts;
    this.#facts = new Facts(parts);
    this.kept = new Kept(this.#facts);
  }

  get runs(): KnownRuns {
    return this.#facts.runs;
  }

  get violations(): readonly Violation[] {
    return this.#facts.violations;
  }

  /** The first and the second look at an end find the same kind. */
  get kinds(): ReadonlySet<string> {
    return this.#facts.kinds;
  }

  violate(kind: string, text: string): void {
    this.#facts.violate(kind, text);
  }

  /** The settings, or a declared role, say that another hub is in use. */
  roleChanged(inUse: string, isStored = false): void {
    this.#facts.noteRole(inUse, isStored);
  }

  roleStored(role: Role): void {
    this.#facts.role = role;
    this.#facts.roleStoredAt = this.#facts.now;
  }

  /** An operator asks for something, and types back the name of that hub. */
  askedWith(confirm: string | undefined): void {
    this.#confirm = confirm;
  }

  rowChanged(change: RowChange): void {
    const { hub, before, after, by } = change;
    this.#facts.noteChange(hub);
    if (by.kind === 'tool') {
      for (const row of [before, after]) if (row !== undefined) this.#facts.noteToolChange(hub, row, by.runId);
      if (before !== undefined && after !== undefined && before.handle !== after.handle)
        this.runs.get(by.runId)?.replaced.add(before.handle);
      const isGivenUp = before !== undefined && this.runs.get(by.runId)?.givenUp.has(keyOf(before)) === true;
      if (isGivenUp && after === undefined) this.#facts.noteLateRemoval(hub, before);
      judgeChange(this.#facts, change, by);
      return;
    }
    // A handle that changed under its id was its device's, too.
    for (const row of [before, after]) {
      if (row !== undefined) this.#facts.noteForeignChange(hub, row, by.kind === 'service');
    }
  }

  listingBegan(hub: string, { runId, pass }: Caller): void {
    const run = runId === undefined ? undefined : this.runs.get(runId);
    if (run === undefined) return;
    run.listedAt.set(hub, this.#facts.now);
    run.listedAt.set(`${hub}#${pass}`, this.#facts.now);
    if (run.firstListedAt !== undefined || hub !== hubOf(run)) return;
    run.firstListedAt = this.#facts.now;
    run.before = this.#facts.rowsOf(hub);
    run.leaving = this.#facts.leavingDevices(hub);
    run.changesBefore = this.#facts.changeCount(hub);
  }

  /** A hub has shown a run these rows. */
  shown(hub: string, { runId = '' }: Caller, rows: readonly Row[], isListed: boolean): void {
    const run = this.runs.get(runId);
    for (const row of rows) {
      // Of the other hub a restore asks only whether it holds anything, or a certain record.
      if (run !== undefined && hubOf(run) === hub) this.#facts.noteShown(hub, row, run);
      run?.seen.add(versionOf(hub, row));
      if (run !== undefined && isListed) add(run.shownByListingAt, `${hub}/${keyOf(row)}`, this.#facts.now);
      if (run !== undefined) add(run.shownAt, `${hub}/${keyOf(row)}`, this.#facts.now);
    }
  }

  /** A hub, with whose name the label begins, did not answer a run in time. */
  unanswered({ runId = '' }: Caller, label: string, isSent: boolean): void {
    const run = this.runs.get(runId);
    const [hub = '', call = '', key = ''] = label.split(' ');
    run?.silent.add(hub);
    if (isSent && WRITES.has(call)) run?.unanswered.add(key);
  }

  /** A hub answered a run that it has removed what it keeps. */
  notDone({ runId = '' }: Caller, key: string): void {
    this.runs.get(runId)?.unanswered.add(key);
  }

  /** A run asks for one record right before it writes to it. */
  asked(hub: string, { runId = '' }: Caller, key: string): void {
    const run = this.runs.get(runId);
    if (run !== undefined) add(run.askedAt, `${hub}/${key}`, this.#facts.now);
  }

  /** A hub takes a write of the app; gives whose it is. */
  written(hub: string, { caller, call, key, sentAt, isOfJob = false }: HubWrite): Writer {
    const { runId = '', pass, process } = caller;
    const run = this.runs.get(runId);
    run?.written.set(key, (run.written.get(key) ?? 0) + 1);
    if (run?.calls.get(`${call} ${key}`) === pass) run.repeats.add(key);
    run?.calls.set(`${call} ${key}`, pass);
    const longestMs = this.#facts.knobs.policy.stepBudgetMs + LAST_CALL_MS;
    if (this.#facts.now - sentAt > longestMs) run?.givenUp.add(key);
    const isFrozen = isFrozenAtItsEnd(run, process);
    if (run !== undefined && !isFrozen) run.lastSentAt = Math.max(run.lastSentAt, sentAt);
    // A job that its hub has taken may begin when the run is over: no call takes it back.
    if (!isOfJob) this.sentByItself(caller, sentAt);
    if (run?.isSync === true && isRestore(run)) judgeSyncWrite(this.#facts, run, hub, sentAt, process);
    const looked =
      run === undefined
        ? { listedAt: 0, askedAt: undefined, isShown: false }
        : lookedBefore(run, hub, key, pass, sentAt);
    return { kind: 'tool', runId, looked };
  }

  /** A run writes, or hands an import job over. */
  sentByItself({ runId = '', process }: Caller, sentAt: number): void {
    const run = this.runs.get(runId);
    if (run === undefined || isFrozenAtItsEnd(run, process)) return;
    run.lastSentByItselfAt = Math.max(run.lastSentByItselfAt, sentAt);
  }

  /** The write was none. */
  refused({ runId = '' }: Caller, id: string): void {
    const written = this.runs.get(runId)?.written;
    const count = (written?.get(id) ?? 0) - 1;
    if (count > 0) written?.set(id, count);
    else written?.delete(id);
  }

  runStored(doc: Run): void {
    if (this.runs.get(doc.id) === undefined) this.#facts.noteRun();
    const run = this.runs.store(doc, this.#facts.now, this.#confirm);
    const isOver = doc.status === 'Succeeded' || doc.status === 'Failed' || doc.status === 'Canceled';
    if (!isOver || run.endedAt !== undefined) return;
    run.endedAt = this.#facts.now;
    const counts = doc.kind === 'restore' ? JSON.stringify(doc.result?.counts) : '';
    this.#facts.trace(() => `RUN ${doc.id} ${doc.status} ${counts}`);
    const what = doc.kind === 'restore' ? doc.request.purpose : doc.kind;
    this.#facts.sometimes(`${what} ${doc.status}${doc.error === undefined ? '' : ` ${doc.error.code}`}`);
    this.kept.judge(run);
    if (doc.kind === 'backup') judgeBackup(this.#facts, run);
    if (doc.kind !== 'restore') return;
    this.#judge(run, '');
    this.#parts.scheduler.after(SECOND_LOOK_MS, () => {
      if (!this.#facts.isFollowed(run)) this.#judge(run, 'Later');
    });
  }

  /** A process died, or froze, or a step could not store its end: what it had begun it may have written, or not. */
  stepsStopped(): void {
    for (const run of this.runs.all()) {
      if (!isRestore(run) || run.endedAt !== undefined) continue;
      for (const name of this.#parts.container.names(`_runs/restore/${run.id}/reconcile/`)) {
        const text = Buffer.from(this.#parts.container.get(name)?.bytes ?? []).toString('latin1');
        const letters = /"letters":"([^"]*)"/.exec(text)?.[1] ?? '';
        for (const { index } of letters.matchAll(UNDER_WAY)) run.begun.add(`${name} ${index}`);
      }
    }
  }

  drillStored(drill: Drill): void {
    this.kept.drillStored(drill);
    if (drill.stage !== 'over') return;
    this.#facts.sometimes(`drill ${drill.verdict}`);
    judgeDrill(this.#facts, drill);
  }

  /** An operator's call was refused because a sync runs. */
  refusedForASync(label: string, syncId: string): void {
    this.#facts.violate('refusedForASync', `${label} because of ${syncId}`);
  }

  /** After a last backup, with nothing in the way of its sync. */
  standbyFilled(active: string, standby: string): void {
    judgeStandby(this.#facts, active, standby);
  }

  /** What a restore says that it has set aside, by name. */
  setAside(run: KnownRestore, failures: Parameters<typeof judgeSetAside>[2]): void {
    judgeSetAside(this.#facts, run, failures);
  }

  /** When everything has come to rest. */
  end(): void {
    judgeLast(this.#facts);
    this.kept.end();
  }

  #judge(run: KnownRun, when: '' | 'Later'): void {
    if (!isRestore(run)) return;
    if (run.doc.request.purpose === 'rollback') judgeRollback(this.#facts, run, when);
    else judgeEnd(this.#facts, run, when);
    if (run.isSync && when === '') judgeSync(this.#facts, run);
  }
}

/** A process that was frozen when the run ended cannot know that it did. */
function isFrozenAtItsEnd(run: KnownRun | undefined, process: Process): boolean {
  return process.pausedUntil >= (run?.endedAt ?? Number.POSITIVE_INFINITY);
}

function add(times: Map<string, number[]>, key: string, now: number): void {
  const known = times.get(key);
  if (known === undefined) times.set(key, [now]);
  else known.push(now);
}
