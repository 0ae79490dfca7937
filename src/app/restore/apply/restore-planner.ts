import { versionHashOf } from '../../../core/fingerprint/row.ts';
import { isSameHub } from '../../../core/paths.ts';
import type { CallOptions } from '../../../core/ports.ts';
import { isInstallation, type RecordOfRows } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import { isOnlyOurs, withoutReplaced } from '../../../core/restore/altered.ts';
import { asListed, isAsking } from '../../../core/restore/plan/circumstances.ts';
import {
  decide,
  type PassDecision,
  type PassRules,
  type PlanOptions,
  planAgain,
} from '../../../core/restore/plan/later-pass.ts';
import type { WrittenOutcome } from '../../../core/restore/plan/outcomes.ts';
import { sightingOf } from '../../../core/restore/plan/removal.ts';
import { seenVersions } from '../../../core/restore/plan/seen.ts';
import { planTakeBack } from '../../../core/restore/plan/take-back.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { openShardRecords, type ShardRecords } from '../../../core/snapshot/shard.ts';
import { type App, hubOf } from '../../app.ts';
import { readRoles } from '../../runs/roles.ts';
import { once } from '../../stored/once.ts';
import { askFor, splitByKey } from '../compare/ask-for.ts';
import { readForeignRows } from '../compare/foreign-rows.ts';
import type { LiveRecords } from '../compare/live-rows.ts';
import { readJournals } from '../outcomes/journal.ts';
import { openFirstPlanner } from './first-planner.ts';
import { type LookBack, openLookBack } from './look-back.ts';
import { LOOKING_FROM } from './next-pass.ts';
import { addedRowsOf, type OpenComparison, type Planned, type RecordPlanner, type ShardToPlan } from './planner.ts';
import { withoutOthers } from './same-id.ts';

/**
 * What is in place is seen by its fingerprints. Only where something is not, the texts are read, of the side that needs
 * it.
 */
export async function openRestorePlanner(app: App, run: RestoreRun, given: ShardToPlan): Promise<RecordPlanner> {
  const { fingerprints, wanted } = given;
  const comparison = await given.openComparison();
  const elsewhere = await readForeignRows(app, asListed(run));
  const asks = isAsking(run);
  // A later pass also looks for devices that registered by themselves under another id or key.
  const isAlone = run.phase.pass === 1 || elsewhere.isEmpty;
  const first = run.phase.pass === 1 || run.found?.rows === 0 ? undefined : await given.openFirstComparison();
  const isInPlace = (index: number): boolean =>
    !asks &&
    comparison.isSameAt(index) &&
    !(first !== undefined && hasFewerOf(first.versionHashesAt(index), comparison.versionHashesAt(index))) &&
    (isAlone || !fingerprints.handleHashesAt(index).some(elsewhere.hasHandle));
  const open = wanted.filter((index) => index >= fingerprints.count || !isInPlace(index));
  const records = open.some((index) => index < fingerprints.count) ? await given.openRecords() : NO_RECORDS;
  const lives = open.some((index) => index >= fingerprints.count || comparison.livesAt(index));
  const live = lives ? await given.openLive() : NO_LIVE;
  const opened = { ...given, comparison, records, live, isInPlace, elsewhere };
  if (run.phase.pass === 1) return openFirstPlanner(app, run, opened);
  // Nearly always all is in place by now: then the first pass is not opened again.
  const lookBack = open.length === 0 ? undefined : await openLookBack(app, run, opened);
  const hub = hubOf(app, run.hub);
  const find: Later['find'] = async (record, listed, call) =>
    withoutOthers(app, run, await askFor(hub, record, listed, given.idMap.mintedFor, call));
  const later = { find, opened, lookBack, ...openSeen(app, run, opened), ...rulesOf(run, opened) };
  return lookBack !== undefined && asks ? openAskingPass({ ...later, lookBack }) : openLaterPass(later);
}

/**
 * Rows that were there before the run wrote, but not all: the write has removed the others, or it is on its way, and the
 * listing has passed over them.
 */
function hasFewerOf(before: readonly number[], now: readonly number[]): boolean {
  return now.length < before.length && now.every((version) => before.includes(version));
}

interface Later extends Pick<LaterPass, 'options' | 'rules'> {
  /** Asks the hub for a record, beside what the listing has shown of it. */
  readonly find: (
    record: RecordOfRows,
    listed: RecordOfRows | undefined,
    call: CallOptions,
  ) => Promise<RecordOfRows | undefined>;
  readonly opened: OpenComparison;
  readonly lookBack: LookBack | undefined;
  readonly hasLeft: (index: number) => Promise<boolean>;
  /** What to make of a record that is missing after its last write, and how it is planned otherwise. */
  readonly orLost: (index: number, planned: Planned) => Promise<Planned>;
}

function rulesOf(run: RestoreRun, { elsewhere, idMap }: OpenComparison): Pick<LaterPass, 'options' | 'rules'> {
  return {
    rules: { isLastPass: run.phase.pass >= LOOKING_FROM },
    options: {
      expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
      livesElsewhere: elsewhere.isTaken,
      mintedFor: idMap.mintedFor,
    },
  };
}

/** Later passes look after what this run wrote. */
function openLaterPass({ find, opened, lookBack, hasLeft, orLost, options, rules }: Later): RecordPlanner {
  const { comparison, records, live, isInPlace } = opened;
  return (index, earlier) => {
    if (earlier === undefined) throw new RangeError(`No pass before has written record ${index}.`);
    if (isInPlace(index)) {
      const decision = decide({ kind: 'unchanged' }, earlier, rules);
      return laterPlan(decision, { seen: comparison.versionHashesAt(index) });
    }
    if (lookBack?.isExtra(index)) return planWithdrawn(lookBack, index, find);
    const listed = earlier === 'renewed' ? live.get(records.at(index).key) : undefined;
    const again = lookBack?.unapplied(index, earlier, comparison.versionHashesAt(index), listed);
    if (again !== undefined) return laterPlan(again);
    const record = records.at(index);
    const found = live.get(record.key);
    const pass = { options, rules, versionsBefore: lookBack?.versionsAt(index) ?? [] };
    const planned = planLater(record, found, earlier, pass);
    const isShort = hasFewerOf(lookBack?.versionsAt(index) ?? [], found?.rows.map(versionHashOf) ?? []);
    if (found !== undefined && !isShort && !isToRepair(planned) && !mayBePart(record, found, planned)) return planned;
    const ask = async (call: CallOptions): Promise<Planned> => {
      const answer = await find(record, found, call);
      const versions = answer?.rows.map(versionHashOf) ?? [];
      const late =
        lookBack?.unapplied(index, earlier, versions, answer) ??
        (await lookBack?.stillAsBefore(earlier, index, answer, call));
      if (late !== undefined) return laterPlan(late);
      if (answer === undefined && (await hasLeft(index)))
        return laterPlan({ kind: 'settled', outcome: earlier, hasChangedSince: true });
      const now = planLater(record, answer, earlier, pass);
      return answer === undefined ? orLost(index, now) : now;
    };
    return { ...planned, ask };
  };
}

/** A listing passes over rows: what came again is asked for before it counts as its device's own. */
function planWithdrawn(lookBack: LookBack, index: number, find: Later['find']): Planned {
  const listed = lookBack.extraAt(index);
  const planned = laterPlan(lookBack.withdrawn(index, listed));
  if (planned.decision.kind !== 'settled' || !planned.decision.hasChangedSince) return planned;
  const ask = async (call: CallOptions): Promise<Planned> => {
    const before = await lookBack.extraBefore(index);
    return before === undefined ? planned : laterPlan(lookBack.withdrawn(index, await find(before, listed, call)));
  };
  return { ...planned, ask };
}

/**
 * Whether a record that is missing has been seen since this run wrote it: in a hub that is in use by now its device has
 * removed it. Where it has been written again and again, the service has. In a scratch hub nothing of the kind happens.
 */
function openSeen(app: App, run: RestoreRun, { shard, shown }: OpenComparison): Pick<Later, 'hasLeft' | 'orLost'> {
  const openJournals = once(() => readJournals(app, run, run.phase.pass - 1, shard));
  const isInUse = once(async () => isSameHub((await readRoles(app)).active.ref, run.hub));
  const hasLeft: Later['hasLeft'] = async (index) => {
    const seen = seenVersions((await openJournals()).map((journal) => journal.get(index)))?.seen ?? [];
    return seen.length > 0 && isInUse();
  };
  const orLost: Later['orLost'] = async (index, planned) => {
    const { decision } = planned;
    const isMissed = decision.kind === 'failed' && decision.code === 'NotApplied' && run.request.purpose !== 'drill';
    return isMissed && shown.has(index) ? LOST : planned;
  };
  return { hasLeft, orLost };
}

const LOST: Planned = {
  decision: { kind: 'settled', outcome: 'goneInTarget', hasChangedSince: false },
  collapsed: 0,
  addedRows: [],
  noted: undefined,
  isLost: true,
};

/** A pass without a listing: the hub is asked for all that the record had before, and has by the snapshot. */
function openAskingPass({
  find,
  opened,
  lookBack,
  orLost,
  options,
  rules,
}: Later & { readonly lookBack: LookBack }): RecordPlanner {
  const { records, live, elsewhere } = opened;
  const isOwnWord = (row: Registration): boolean => !elsewhere.oursUnder(row.id).includes(versionHashOf(row));
  const recordAt = (index: number): RecordOfRows | undefined =>
    lookBack.isExtra(index) ? lookBack.extraAt(index) : records.at(index);
  return (index, earlier) => {
    if (earlier === undefined) throw new RangeError(`No pass before has written record ${index}.`);
    const ask = async (call: CallOptions): Promise<Planned> => {
      const record = recordAt(index);
      if (record === undefined) throw new RangeError(`The listing does not show record ${index}, which was to go.`);
      const rows = [...record.rows, ...(live.get(record.key)?.rows ?? [])];
      const answer = await find({ key: record.key, rows }, undefined, call);
      const [found, others] = splitByKey(record.key, answer?.rows ?? []);
      if (lookBack.isExtra(index)) return laterPlan(lookBack.withdrawn(index, found));
      const late =
        lookBack.unapplied(index, earlier, found?.rows.map(versionHashOf), found) ??
        (await lookBack.stillAsBefore(earlier, index, found, call));
      if (late !== undefined) return laterPlan(late);
      // Under an id of it its device got another handle.
      const asAsked = others.some(isOwnWord) ? { ...options, livesElsewhere: () => true } : options;
      const pass = { options: asAsked, rules, versionsBefore: lookBack.versionsAt(index) };
      const planned = planLater(record, found, earlier, pass);
      return answer === undefined ? orLost(index, planned) : planned;
    };
    return { ...laterPlan({ kind: 'settled', outcome: earlier, hasChangedSince: false }), ask };
  };
}

function laterPlan(decision: PassDecision, seen?: Planned['noted']): Planned {
  const isRewritten = decision.kind === 'write' || decision.kind === 'takeBack';
  return { decision, collapsed: 0, addedRows: [], noted: isRewritten ? 'rewritten' : seen };
}

interface LaterPass {
  readonly options: PlanOptions;
  readonly rules: PassRules;
  /** Of the record's rows, at the first pass's look. */
  readonly versionsBefore: readonly number[];
}

function planLater(
  record: RecordOfRows,
  shown: RecordOfRows | undefined,
  earlier: WrittenOutcome,
  { options, rules, versionsBefore }: LaterPass,
): Planned {
  const found = shown && withoutReplaced(shown, versionsBefore);
  const takenBack = earlier === 'created' ? planTakeBack(record, found, options) : undefined;
  const plan =
    takenBack === undefined ? planAgain(record, found, options) : ({ kind: 'takeBack', writes: takenBack } as const);
  const decision = decide(plan, earlier, rules);
  const seen = found !== undefined && decision.kind === 'settled' ? sightingOf(record, found) : undefined;
  const hasChanged = decision.kind === 'settled' && decision.hasChangedSince;
  const isAltered = hasChanged && found !== undefined && isOnlyOurs(record, found, versionsBefore);
  return { ...laterPlan(decision, seen), addedRows: addedRowsOf(record, decision), isAltered };
}

/** It may have passed over one of several rows, too: an installation then looks as if its device had changed it. */
function mayBePart(record: RecordOfRows, found: RecordOfRows, { decision }: Planned): boolean {
  const mayHaveMore = isInstallation(found) || found.rows.length < record.rows.length;
  return mayHaveMore && decision.kind === 'settled' && decision.hasChangedSince;
}

/** A listing by offset passes over rows: what it does not show is asked for before it counts as missing. */
function isToRepair({ decision }: Planned): boolean {
  if (decision.kind === 'failed') return decision.code === 'NotApplied';
  return decision.kind === 'write' && decision.writes.some(({ kind }) => kind !== 'rowDeletion');
}

/** Of a shard in which all that is wanted is in place, so that none is asked for. */
const NO_RECORDS: ShardRecords = openShardRecords({ count: 0, at: () => undefined }, '');
/** The same of the target. */
const NO_LIVE: LiveRecords = { get: () => undefined, find: () => undefined };
