import { resultName } from '../../../core/paths.ts';
import { addSample } from '../../../core/restore/milestones.ts';
import { markOf } from '../../../core/restore/partly.ts';
import {
  countInPlace,
  intentOf,
  isWrittenOutcome,
  lostLetter,
  newestLetters,
  type Outcome,
  outcomeLetters,
  outcomeOf,
  type RecordFailure,
  type Removal,
  racedLetter,
  removalLetter,
  type ShardOutcomes,
  underWayLetters,
  type WrittenOutcome,
} from '../../../core/restore/plan/outcomes.ts';
import type { Write } from '../../../core/restore/plan/write.ts';
import { toFacts } from '../../../core/restore/totals.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { Superseded } from '../../runs/store.ts';
import type { Found } from '../../stored/document.ts';
import { documents } from '../../stored/documents.ts';
import { noOutcomes, unusableOutcomes } from '../outcomes/store.ts';
import type { RecordTallies } from './planner.ts';
import { LAST_WAVE, MAX_WAVES } from './waves.ts';

/**
 * What a call that began just before its deadline may take beyond it: the hub client's time-outs together. Likewise a
 * call that was given up: the hub may carry it out yet.
 */
const LAST_CALL_MS = 60_000;

/** Slow writing is saved so often, so that its progress shows. */
export const SAVE_EVERY_MS = 5000;

/** Calls of the step may be under way; none is; some were given up without an answer; or nothing is left to do. */
type WriterState = 'writing' | 'still' | 'unanswered' | 'done';

/** What became of each record of one shard in one pass, kept in step with its stored document. */
export interface OpenOutcomes {
  /** Positions of the records whose outcome is not known yet, and whose turn it is in the restore's order. */
  open(): number[];
  /** How many have no outcome yet, whosever turn it is. */
  openCount(): number;
  /** Of every record, as the step found it or left it. */
  letters(): readonly string[];
  /** The record is about to be written: once saved, it survives a crash. */
  begin(index: number, outcome: WrittenOutcome, addedRows: readonly number[]): void;
  /** The first call that may change a record which was begun is made now. */
  send(index: number): void;
  /** That call was not made after all, or the hub refused to take it. */
  unsend(index: number): void;
  /** How many of a record's writes, which are very many, were answered by steps before; those are not made again. */
  answeredBefore(index: number, writes: readonly Write[]): number;
  /** That number of them is answered by now. */
  noteAnswered(index: number, writes: readonly Write[], done: number): void;
  /** This step has got on within such a record. */
  hasMovedWithin(): boolean;
  /** This pass has written the record again, or was about to when the step before died. */
  isRewritten(index: number): boolean;
  /** What was begun and never sent is as it was before. */
  dropUnsent(): void;
  settleAs(index: number, outcome: Outcome): void;
  /** Created over what its device had written since the look: later passes keep that. */
  settleRaced(index: number): void;
  settleRemoval(index: number, removal: Removal): void;
  /** The hub has removed it since it showed it. */
  settleLost(index: number): void;
  /** The hub shows a record that this pass has written. */
  noteShown(index: number): void;
  /** A record that was begun may have been written in part, unless it is known that nothing was. */
  fail(index: number, failure: Pick<RecordFailure, 'code' | 'status' | 'words'>, isUntouched?: boolean): void;
  count(what: Tally, amount: number): void;
  countAll(counted: RecordTallies | undefined): void;
  failureCount(): number;
  /** Records that were written, or that the hub would not take. */
  triedCount(): number;
  /**
   * Stores it all, also when the run is over: what was written counts. With `writing` it says until when this step may
   * write; the caller then looks whether the run is over before it does. Throws `Superseded` when a twin of this step
   * stored first.
   */
  save(state: WriterState): Promise<void>;
  /** The same while this step writes, if the last time was a while ago. */
  saveIfDue(): Promise<void>;
}

type Tally =
  | 'duplicatesCollapsed'
  | 'repaired'
  | 'takenBack'
  | 'changedSince'
  | 'altered'
  | 'unconfirmed'
  | 'tooEarly'
  | keyof RecordTallies;

export interface ShardToDo {
  /** The platform of each record's first row. */
  readonly platforms: readonly string[];
  /** The group of the restore's order each record is written with. */
  readonly groups: readonly number[];
  readonly stored: Found<ShardOutcomes> | undefined;
  /** What the pass before made of the shard; absent in the first. */
  readonly before: ShardOutcomes | undefined;
  /** Positions of those that are tried after all others: they have failed before. */
  readonly last: ReadonlySet<number>;
  /** When the step's time is up (epoch ms). */
  readonly deadlineAt: number;
  /** Milliseconds the target's throttling has cost since any shard of this process last asked. */
  readonly newlyLostMs: () => number;
}

/** Continues from what is stored, or begins with what is carried over from the pass before. */
export function openOutcomes(app: App, run: RestoreRun, shard: number, toDo: ShardToDo): OpenOutcomes {
  const { platforms, groups, stored, before, last, newlyLostMs, deadlineAt } = toDo;
  const { extraCount, onlyInTarget } = stored?.value ?? before ?? noOutcomes;
  const recordCount = platforms.length + extraCount;
  const { pass, wave = 0 } = run.phase;
  // The first pass begins with the selection that the comparison stored: without it, the records meant would be a
  // guess.
  if (pass === 1 && stored?.value.letters.length !== recordCount) throw unusableOutcomes(run, pass, shard);
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  const start = stored?.value ?? {
    ...noOutcomes,
    letters: outcomeLetters.pending.repeat(recordCount),
    extraCount,
    onlyInTarget,
    added: before?.added ?? [],
    shown: before?.shown ?? [],
    takenBack: before?.takenBack ?? 0,
    failures: before?.failures ?? [],
  };
  const letters = [...start.letters];
  const failures = [...start.failures];
  const added = new Map(start.added.map(({ index, rows }) => [index, new Set(rows)]));
  const rewritten = new Set(start.rewritten);
  const shown = new Set(start.shown);
  const partlyBefore = new Map(start.partly.map((one) => [one.index, one]));
  const partly = new Map<number, { readonly writes: readonly Write[]; readonly done: number }>();
  const tally = {
    duplicatesCollapsed: start.duplicatesCollapsed,
    repaired: start.repaired,
    takenBack: start.takenBack,
    changedSince: start.changedSince,
    altered: start.altered,
    unconfirmed: start.unconfirmed,
    tooEarly: start.tooEarly,
    superseded: start.superseded,
    partialInstallations: start.partialInstallations,
    absenceVoid: start.absenceVoid,
  };
  let lostMs = start.lostMilliseconds;
  let { inPlace } = start;
  let etag = stored?.etag;
  let savedAtMs = app.world.now();
  let saving: Promise<void> | undefined;
  // A step before this one that has not said that it stopped may be alive until then.
  const openedAt = app.world.now();
  const othersMs = Math.max((start.writesForMs ?? 0) - (stored?.ageMs ?? 0), (start.writesUntil ?? 0) - openedAt);
  const writesForMs = (state: WriterState): number | undefined => {
    const nowMs = app.world.now();
    const othersLeftMs = othersMs - (nowMs - openedAt);
    if (state === 'still' || state === 'done') return othersLeftMs > 0 ? othersLeftMs : undefined;
    return Math.max(othersLeftMs, LAST_CALL_MS + (state === 'writing' ? Math.max(0, deadlineAt - nowMs) : 0));
  };
  /** By position the letter that a record had before it was begun, and whether a call has been made for it. */
  const begun = new Map<number, { readonly letter: string; isSent: boolean }>();
  const noteSent = (index: number, isSent: boolean): void => {
    const record = begun.get(index);
    if (record !== undefined) record.isSent = isSent;
  };

  // What a restore withdraws again was sent after all else before.
  const extraGroup = pass > 1 && run.request.purpose !== 'rollback' ? 0 : LAST_WAVE;
  const groupOf = (index: number): number => (index < platforms.length ? (groups[index] ?? 0) : extraGroup);
  const isOpen = (index: number): boolean => outcomeOf(letters[index]) === 'pending';
  let openCount = letters.filter((_, index) => isOpen(index)).length;
  const setLetter = (index: number, letter: string): void => {
    begun.delete(index);
    if (intentOf(letter) === undefined) {
      partly.delete(index);
      partlyBefore.delete(index);
    }
    if (isOpen(index)) openCount -= 1;
    letters[index] = letter;
    if (isOpen(index)) openCount += 1;
  };
  const settleAs = (index: number, outcome: Outcome): void => {
    const former = before?.letters[index];
    // What is known of how it came to that stays known.
    const isKnown = (former === racedLetter || former === lostLetter) && outcomeOf(former) === outcome;
    setLetter(index, isKnown ? former : outcomeLetters[outcome]);
  };
  const wavesDone = (isDone: boolean): number => {
    if (isDone) return MAX_WAVES;
    if (openCount === 0) return wave;
    if (groups.length === 0 && extraCount === 0) return 0;
    return letters.reduce((least, _, index) => (isOpen(index) ? Math.min(least, groupOf(index)) : least), MAX_WAVES);
  };
  const store = async (state: WriterState): Promise<void> => {
    lostMs += newlyLostMs();
    // From here to the `put` nothing waits, so that what is stored is of one moment though writes go on meanwhile.
    const written = letters.join('');
    const known = newestLetters(written, before?.letters);
    inPlace = addSample(inPlace, app.world.storageNow() - Date.parse(run.createdAt), countInPlace(known));
    const outcomes: ShardOutcomes = {
      isDone: state === 'done',
      letters: written,
      added: [...added].map(([index, rows]) => ({ index, rows: [...rows] })),
      rewritten: [...rewritten],
      shown: [...shown],
      partly: [
        ...partlyBefore.values(),
        ...Array.from(partly, ([index, { writes, done }]) => ({ index, done, mark: markOf(writes, done) })),
      ],
      extraCount,
      onlyInTarget,
      ...tally,
      lostMilliseconds: lostMs,
      writesForMs: writesForMs(state),
      inPlace,
      failures,
    };
    const facts = toFacts(outcomes, { letters: known, platforms, wavesDone: wavesDone(outcomes.isDone) });
    const next = await documents.restoredShard.write(app, name, outcomes, { etag }, facts);
    if (next === 'conflict') throw new Superseded('another step went on with this shard');
    etag = next;
    savedAtMs = app.world.now();
  };
  /** One after another: what is stored is of the moment when its turn comes. */
  const save = async (state: WriterState): Promise<void> => {
    const mine = (): Promise<void> => store(state);
    const turn = saving === undefined ? mine() : saving.then(mine, mine);
    saving = turn;
    try {
      await turn;
    } finally {
      if (saving === turn) saving = undefined;
    }
  };
  return {
    open() {
      const open = [...letters.keys()].filter((index) => isOpen(index) && groupOf(index) <= wave);
      if (last.size === 0) return open;
      return [...open.filter((index) => !last.has(index)), ...open.filter((index) => last.has(index))];
    },
    openCount: () => openCount,
    letters: () => letters,
    settleAs,
    settleRaced: (index) => setLetter(index, racedLetter),
    settleRemoval: (index, removal) => setLetter(index, removalLetter(removal)),
    settleLost: (index) => setLetter(index, lostLetter),
    noteShown: (index) => void shown.add(index),
    begin(index, outcome, addedRows) {
      const letter = letters[index] ?? outcomeLetters.pending;
      setLetter(index, underWayLetters[outcome]);
      begun.set(index, { letter, isSent: false });
      if (before !== undefined) rewritten.add(index);
      if (addedRows.length > 0) added.set(index, new Set([...(added.get(index) ?? []), ...addedRows]));
    },
    send: (index) => noteSent(index, true),
    unsend: (index) => noteSent(index, false),
    answeredBefore(index, writes) {
      const before = partlyBefore.get(index);
      return before !== undefined && before.mark === markOf(writes, before.done) ? before.done : 0;
    },
    noteAnswered(index, writes, done) {
      partlyBefore.delete(index);
      partly.set(index, { writes, done });
    },
    hasMovedWithin: () => partly.size > 0,
    isRewritten: (index) => rewritten.has(index),
    dropUnsent() {
      for (const [index, { letter, isSent }] of begun) {
        if (isSent) continue;
        if (intentOf(letter) === undefined) rewritten.delete(index);
        setLetter(index, letter);
      }
    },
    fail(index, failure, isUntouched = false) {
      const attempted = intentOf(letters[index]) ?? outcomeOf(before?.letters[index]);
      settleAs(index, 'failed');
      const isWritten = !isUntouched && isWrittenOutcome(attempted) && attempted !== 'removed';
      failures.push({ index, ...failure, ...(isWritten ? { attempted } : {}) });
    },
    count(what, amount) {
      tally[what] += amount;
    },
    countAll({ superseded = 0, partialInstallations = 0, absenceVoid = 0 } = {}) {
      tally.superseded += superseded;
      tally.partialInstallations += partialInstallations;
      tally.absenceVoid += absenceVoid;
    },
    failureCount: () => failures.length,
    triedCount: () => failures.length + letters.filter((letter) => isWrittenOutcome(outcomeOf(letter))).length,
    save,
    saveIfDue: async () => {
      if (saving === undefined && app.world.now() - savedAtMs >= SAVE_EVERY_MS) await save('writing');
    },
  };
}
