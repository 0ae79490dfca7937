import { entryOf, isAsAgreed } from '../../../core/baseline/record.ts';
import { versionHashOf } from '../../../core/fingerprint/row.ts';
import { shownIn } from '../../../core/fingerprint/shown.ts';
import type { CallOptions, Hub, WriteOutcome } from '../../../core/ports.ts';
import { keyHashOf, recordKey, shardOf } from '../../../core/registration/record.ts';
import { canonicalRow, handleIn, type Registration } from '../../../core/registration/registration.ts';
import { readAtOf } from '../../../core/restore/plan/circumstances.ts';
import type { AsSeen, Write } from '../../../core/restore/plan/write.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { openBaseline } from '../../baseline/store.ts';
import { findInstallationRows, findRow } from '../../listing/hub-rows.ts';
import type { EndWatch } from '../../runs/end-watch.ts';
import type { IdMap } from '../outcomes/id-map.ts';
import { readUndo, storeDisplaced } from '../outcomes/undo.ts';
import { readRunOf } from '../outcomes/written.ts';
import { staysUnderItsId } from './same-id.ts';

/** What a call to the target needs. */
export interface Caller {
  readonly app: App;
  readonly run: RestoreRun;
  readonly hub: Hub;
  readonly deadlineAt: number;
  readonly idMap: IdMap;
  readonly endWatch: EndWatch;
}

function callOf({ deadlineAt }: Pick<Caller, 'deadlineAt'>): CallOptions {
  return { deadlineAt, givesWay: true };
}

export interface Attempt {
  /** No step before this one, and no pass, has tried to write the record. */
  readonly isFirstTry: boolean;
  /** Called right before a call that may change something: what is only asked for is not. */
  readonly send: () => void;
}

/** `stopped`: before the call the run was over, or the host stopped. */
export type OneAnswer = WriteOutcome | { readonly kind: 'stopped' };

export function writeOne(work: Caller, write: Write, attempt: Attempt): Promise<OneAnswer> {
  const { hub } = work;
  const call = callOf(work);
  switch (write.kind) {
    case 'registration':
      return writeRegistration(work, write, attempt);
    case 'installation':
      return whileAsSeen(work, write, attempt, () => hub.putInstallation(write.id, write.json, call));
    case 'rowDeletion':
      attempt.send();
      return deleteRow(hub, write, call);
    case 'installationDeletion':
      return whileAsSeen(work, write, attempt, () => deleteInstallation(hub, write, call));
    default:
      return write satisfies never;
  }
}

async function writeRegistration(
  work: Caller,
  { id, xml, over, asSeen }: WriteOf<'registration'>,
  attempt: Attempt,
): Promise<OneAnswer> {
  const { hub, idMap } = work;
  const call = callOf(work);
  const target = idMap.idFor(id);
  // Another record may have been written under an id that stands for both of theirs.
  const mayBeInUse = target !== id && !attempt.isFirstTry;
  if (over === undefined && (asSeen !== undefined || mayBeInUse))
    return createAsSeen(work, { isMapped: target !== id, target, xml, asSeen: asSeen ?? [] }, attempt);
  attempt.send();
  if (over === undefined) return hub.putRegistration(target, xml, call);
  const answer = await hub.putRegistration(over.id, xml, { ...call, ifMatch: over.etag });
  if (answer.kind !== 'changed' || (attempt.isFirstTry && !answer.isRetried)) return answer;
  // An earlier call of this run may have written it, whose answer was lost.
  const row = await findRow(hub, over.id, call);
  return row !== undefined && canonicalRow(row.xml) === canonicalRow(xml) ? DONE : answer;
}

interface Creation {
  /** The id is not the snapshot's. */
  readonly isMapped: boolean;
  readonly target: string;
  readonly xml: string;
  readonly asSeen: AsSeen;
}

async function createAsSeen(
  work: Caller,
  { isMapped, target, xml, asSeen }: Creation,
  { isFirstTry, send }: Attempt,
): Promise<OneAnswer> {
  const { app, run, hub, endWatch } = work;
  const call = callOf(work);
  const row = await findRow(hub, target, call);
  const isSame = row !== undefined && canonicalRow(row.xml) === canonicalRow(xml);
  // Also where a row with this id and ETag was there before: this run has written it, and died, or got no answer.
  if (!isFirstTry && isSame) return DONE;
  const isOther = row !== undefined && isMapped && row.handle !== handleIn(xml) && run.request.purpose !== 'rollback';
  if (isOther && (await staysUnderItsId(app, run, row))) return ID_IN_USE;
  const isListed = row !== undefined && asSeen.includes(versionHashOf(row));
  const isPassedOver = row !== undefined && !isListed && !isSame && (await isOurs(work, row, isFirstTry));
  if (isPassedOver && run.request.only !== undefined && row.handle !== handleIn(xml)) return ID_IN_USE;
  if (isPassedOver) await storeDisplaced(app, run, row);
  if (await endWatch.mustStopNow()) return STOPPED;
  if (row === undefined || isListed || isPassedOver) {
    send();
    if (row === undefined) return hub.putRegistration(target, xml, call);
    const answer = await hub.putRegistration(target, xml, { ...call, ifMatch: row.etag });
    // The update of the record that had this id may have deleted the row meanwhile.
    const isGone = answer.kind === 'changed' && (await findRow(hub, target, call)) === undefined;
    return isGone ? hub.putRegistration(target, xml, call) : answer;
  }
  return !isFirstTry && (await isPutBack(work, row)) ? ID_IN_USE : CHANGED;
}

/** Of a rollback: another record is as it was before again, under an id that it got from the restore. */
async function isPutBack({ app, run }: Caller, row: Registration): Promise<boolean> {
  if (run.request.purpose !== 'rollback') return false;
  const key = recordKey(row);
  const undo = await readUndo(app, await readRunOf(app, run), shardOf(keyHashOf(key), run.shardCount));
  const form = canonicalRow(row.xml);
  return undo.get(key)?.before.rows.some(({ xml }) => canonicalRow(xml) === form) === true;
}

/**
 * Whether the row, which is not among those to be written over, is as it was agreed on. A rollback writes over nothing
 * by what the pair agrees on: that may be what its restore left. What a step before this one has created, and its device
 * written over, may have the ETag agreed on again: then its words must be known, too.
 */
async function isOurs({ app, run }: Caller, row: Registration, isFirstTry: boolean): Promise<boolean> {
  if (run.request.purpose === 'rollback') return false;
  const keyHash = keyHashOf(recordKey(row));
  const baseline = await openBaseline(app, run, shardOf(keyHash, run.shardCount));
  const record = baseline.get(keyHash);
  const shown = shownIn([row]);
  if (!isFirstTry && entryOf(record)?.target.content !== shown.content) return false;
  return isAsAgreed(record, shown, readAtOf(run));
}

/** Installations have no ETag: they are asked for right before. */
async function whileAsSeen(
  work: Caller,
  { id, asSeen }: { readonly id: string; readonly asSeen?: AsSeen },
  { send }: Attempt,
  write: () => Promise<WriteOutcome>,
): Promise<OneAnswer> {
  const { hub, endWatch } = work;
  if (asSeen !== undefined) {
    const rows = await findInstallationRows(hub, id, callOf(work));
    if (await endWatch.mustStopNow()) return STOPPED;
    if (!rows.every((row) => asSeen.includes(versionHashOf(row)))) return CHANGED;
  }
  send();
  return write();
}

async function deleteRow(
  hub: Hub,
  { id, etag, key }: WriteOf<'rowDeletion'>,
  call: CallOptions,
): Promise<WriteOutcome> {
  const answer = await hub.deleteRegistration(id, etag, call);
  if (answer === 'gone') return DONE;
  if (key === undefined) return CHANGED;
  // Under its id this run may have written the handle that its device has now.
  const row = await findRow(hub, id, call);
  return row === undefined || recordKey(row) !== key ? DONE : CHANGED;
}

async function deleteInstallation(
  hub: Hub,
  { id }: WriteOf<'installationDeletion'>,
  call: CallOptions,
): Promise<WriteOutcome> {
  await hub.deleteInstallation(id, call);
  return DONE;
}

const STOPPED: OneAnswer = { kind: 'stopped' };
const DONE: WriteOutcome = { kind: 'written' };
/** By a record that is not selected, is put back, or stays there. Treated like an id that the hub refuses: the record gets a new one. */
const ID_IN_USE: WriteOutcome = { kind: 'idRefused', status: 400 };
const CHANGED: WriteOutcome = { kind: 'changed' };

type WriteOf<Kind extends Write['kind']> = Extract<Write, { readonly kind: Kind }>;
