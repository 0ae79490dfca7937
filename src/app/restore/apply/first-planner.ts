import { type Entry, entryOf, isReworded } from '../../../core/baseline/record.ts';
import { shownAt, shownIn } from '../../../core/fingerprint/shown.ts';
import { isSameHub } from '../../../core/paths.ts';
import { isSameRegistration } from '../../../core/registration/distinct.ts';
import { isPartial } from '../../../core/registration/expected.ts';
import { isInstallation, type RecordOfRows } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import { circumstancesOf, isWithinBounds, isWithinDrift, readAtOf } from '../../../core/restore/plan/circumstances.ts';
import { type FirstPass, type FirstPlan, planFirst } from '../../../core/restore/plan/first-pass.ts';
import { planWithdrawal, rowsTakenBy } from '../../../core/restore/plan/first-writes.ts';
import type { PassDecision } from '../../../core/restore/plan/later-pass.ts';
import { isSince } from '../../../core/restore/plan/survey.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf } from '../../app.ts';
import { readRoles } from '../../runs/roles.ts';
import { openGoneSince, readVersionsFromBefore } from '../../snapshots/newest-keys.ts';
import { once } from '../../stored/once.ts';
import { findNow } from '../compare/ask-for.ts';
import { askSource, openSource } from '../compare/ask-source.ts';
import { openSpoken } from '../compare/spoken.ts';
import type { IdMap } from '../outcomes/id-map.ts';
import { addedRowsOf, type OpenComparison, type Planned, type RecordPlanner, type RecordTallies } from './planner.ts';

/** Decides by the table about the records of a shard, and about those that only the target holds and are ours. */
export async function openFirstPlanner(app: App, run: RestoreRun, opened: OpenComparison): Promise<RecordPlanner> {
  const { shard, fingerprints, comparison, records, live, idMap } = opened;
  const baseline = await opened.openPairBaseline();
  const isGone = await openGoneSince(app, run, shard);
  const before = await readVersionsFromBefore(app, run, shard);
  const spokenAt = await openSpoken(app, run);
  const { maxDeletePercent, standbyDriftPercent } = app.policy;
  const around = circumstancesOf(run);
  const absences = !isWithinBounds(run, 'absent', maxDeletePercent);
  const drift = !isWithinDrift(run, standbyDriftPercent);
  const mayWithdraw = isWithinBounds(run, 'doomed', maxDeletePercent) && !drift;
  const pass: FirstPass = {
    around: { ...around, exceeded: { ...around.exceeded, absences, drift } },
    readAt: readAtOf(run),
    isUndone: run.source?.isUndone === true,
    nowMs: Date.parse(run.createdAt),
    overwrites: run.request.onConflict === 'overwrite',
    isAnotherForm: run.found?.plan?.isAnotherForm === true,
    expiryFloorAtMs: Date.parse(run.request.expiryFloorAt),
    isTargetEmpty: run.found?.rows === 0,
    elsewhere: opened.elsewhere,
    isHeld: (row) => opened.elsewhere.isHeld(row, mayWithdraw),
    mintedFor: idMap.mintedFor,
  };
  const { dryRun } = run.request;
  const stillHolds = openStillHolds(app, run, shard);
  const hub = hubOf(app, run.hub);
  // It may have come into use since it was listed. Who is listed there, and then is not, has left; and what its devices
  // have said is the later word, in a failback, too.
  const passInUse: FirstPass = { ...pass, around: { ...around, exceeded: { ...pass.around.exceeded, drift: true } } };
  const isInUse = once(async () => isSameHub((await readRoles(app)).active.ref, run.hub));
  return (index) => {
    if (index >= fingerprints.count) {
      const extra = comparison.extras[index - fingerprints.count];
      const entry = extra === undefined ? undefined : entryOf(baseline.get(extra.keyHash));
      const isOther = extra !== undefined && entry !== undefined && isReworded(entry.target, extra);
      return planExtra(extra && live.find(extra.keyHash), mayWithdraw && (pass.isAnotherForm || !isOther), dryRun);
    }
    const collapsed = fingerprints.collapsedAt(index);
    const superseded = fingerprints.supersededAt(index);
    if (comparison.isSameAt(index)) return { ...settled('unchanged', collapsed), counted: { superseded } };
    const record = records.at(index);
    const counted = { superseded, partialInstallations: isPartial(record) ? 1 : 0 };
    const keyHash = fingerprints.keyHashAt(index);
    const isGoneSince = isGone(keyHash);
    const agreed = baseline.get(keyHash);
    const planWith = (found: RecordOfRows | undefined, by = pass): Planned => {
      const isFromBefore = found !== undefined && before?.get(keyHash) === shownIn(found.rows).version;
      const isSpokenSince = isSince(spokenAt(keyHash), pass.readAt);
      const wanted = { record, shown: shownAt(fingerprints, index), isGoneSince, isFromBefore, isSpokenSince };
      return toPlanned(planFirst(wanted, found, agreed, by), record, found, { collapsed, counted, dryRun });
    };
    const listed = live.get(record.key);
    const planned = planWith(listed);
    if (pass.isTargetEmpty) return planned;
    const isOpen = mayBePassedOver(entryOf(agreed), record, listed, planned);
    const isRevised = listed !== undefined && planned.decision.kind === 'write';
    if (!isOpen && !isRevised) return planned;
    const ask: Planned['ask'] = async (call) => {
      const mayHaveLeft = listed !== undefined && !around.isResurrecting && (await isInUse());
      const isAsked = isOpen || mayHaveLeft;
      const found = isAsked ? await findNow(hub, record, listed, idMap.mintedFor, call) : listed;
      if (found === undefined && mayHaveLeft) return settled('goneInTarget', collapsed);
      const now = isAsked ? planWith(found, mayHaveLeft ? passInUse : pass) : planned;
      // The snapshot's listing has passed over a row: the next one shows it.
      return (await stillHolds(record, rowsGone(now, record, found, idMap.mintedFor)))
        ? settled('conflict', collapsed)
        : now;
    };
    return { ...planned, ask };
  };
}

/** The target's listing may have passed over what was agreed on, or over one of its rows. */
function mayBePassedOver(
  entry: Entry | undefined,
  record: RecordOfRows,
  listed: RecordOfRows | undefined,
  { decision }: Planned,
): boolean {
  if (entry === undefined || listed === undefined) return entry !== undefined;
  const isUnchanged = decision.kind === 'settled' && decision.outcome === 'unchanged';
  const mayHaveMore = isInstallation(record) || record.rows.length > 1;
  return !isUnchanged && mayHaveMore && shownIn(listed.rows).version !== entry.target.version;
}

/** What the snapshot does not show of a device that stays, and an update would take from the target. */
function rowsGone(
  { decision }: Planned,
  record: RecordOfRows,
  found: RecordOfRows | undefined,
  mintedFor: IdMap['mintedFor'],
) {
  if (decision.kind !== 'write' || decision.outcome !== 'updated' || found === undefined) return [];
  return rowsTakenBy(decision.writes, record, found, mintedFor);
}

/**
 * Whether the source still holds one of these rows, and its snapshot does not show it under another id. While the source
 * does not answer, the snapshot is believed.
 */
function openStillHolds(app: App, run: RestoreRun, shard: number) {
  const open = once(() => openSource(app, run, shard));
  return async ({ key, rows: shown }: RecordOfRows, rows: readonly Registration[]): Promise<boolean> => {
    if (rows.length === 0) return false;
    const findInSource = await open();
    const held = await askSource(app, run, () => findInSource({ key, rows }));
    if (held === 'silent') return false;
    const passedOver = held.filter(({ id }) => !shown.some((row) => row.id === id));
    return passedOver.some((one) => rows.some((row) => isSameRegistration(one, row)));
  };
}

function planExtra(found: RecordOfRows | undefined, mayWithdraw: boolean, isDryRun: boolean): Planned {
  if (!mayWithdraw || found === undefined) return settled('leftover', 0);
  if (isDryRun) return settled('withdrawn', 0);
  const writes = planWithdrawal(found);
  return { ...settled('withdrawn', 0), decision: { kind: 'write', outcome: 'withdrawn', writes }, undo: found };
}

function settled(outcome: Extract<PassDecision, { kind: 'settled' }>['outcome'], collapsed: number): Planned {
  return {
    decision: { kind: 'settled', outcome, hasChangedSince: false },
    collapsed,
    addedRows: [],
    noted: undefined,
  };
}

function toPlanned(
  plan: FirstPlan,
  record: RecordOfRows,
  found: RecordOfRows | undefined,
  given: { readonly collapsed: number; readonly counted: RecordTallies; readonly dryRun: boolean },
): Planned {
  const { collapsed, dryRun } = given;
  if (typeof plan === 'string') return { ...settled('failed', collapsed), decision: { kind: 'failed', code: plan } };
  if (plan.kind === 'settled') return { ...settled(plan.outcome, collapsed), counted: given.counted };
  const counted = { ...given.counted, absenceVoid: plan.isAbsenceVoid ? 1 : 0 };
  if (dryRun) return { ...settled(plan.outcome, collapsed), counted };
  const { outcome, writes } = plan;
  const decision: PassDecision = { kind: 'write', outcome, writes };
  // Rows that are only added are taken back without it.
  const changes = writes.some((write) => write.kind !== 'registration' || write.over !== undefined);
  const undo = changes ? found : undefined;
  return {
    decision,
    collapsed,
    addedRows: addedRowsOf(record, decision),
    noted: undefined,
    undo,
    counted,
  };
}
