import type { Process } from '../net.ts';
import { isOfRecord, type Row } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isRestore, isWriter, type KnownRestore, type KnownRun } from './runs.ts';
import { noticedWithinMs } from './windows.ts';

/** As many changes by others, or withdrawals, are always within the bounds. */
const LEAST = 20;
/** A hub that carries out installation writes later than this may be given up. */
const LATE_MS = 30_000;

/** A sync sends a write: not to the hub in use, but for what its process could not yet know. */
export function judgeSyncWrite(facts: Facts, run: KnownRestore, hub: string, sentAt: number, process: Process): void {
  const since = Math.max(sentAt - noticedWithinMs(facts.knobs), process.pausedUntil);
  if (since < sentAt && facts.wasInUse(hub, sentAt) && facts.wasInUse(hub, since))
    facts.violate('syncedIntoTheHubInUse', `${run.id} wrote to ${hub}`);
  const doubt = facts.runs.all().find((one) => isRestore(one) && leavesDoubt(facts, one, run));
  if (doubt !== undefined) facts.violate('syncedInDoubt', `${run.id} wrote to ${hub} since ${doubt.id}`);
}

/** An operator had restored into the standby before the sync began, and had not said since which hub is in use. */
function leavesDoubt(facts: Facts, { doc, endedAt, id }: KnownRestore, sync: KnownRestore): boolean {
  const { purpose, dryRun } = doc.request;
  if (doc.status !== 'Succeeded' || purpose !== 'restore' || dryRun || doc.requestedBy !== 'http') return false;
  if (endedAt === undefined || doc.result?.activatedAt !== undefined || hubOf({ doc }) !== hubOf(sync)) return false;
  const isUndone = facts.runs.all().some(({ doc: one }) => one.kind === 'restore' && one.request.of === id);
  return !isUndone && endedAt > facts.roleStoredAt && endedAt < sync.begunAt;
}

/** What a sync says at its end, and what it did: above its bounds it changes nothing. */
export function judgeSync(facts: Facts, run: KnownRestore): void {
  const { id, doc, written, removed, before } = run;
  const beyond = (text: string): void => facts.violate('syncedBeyondItsBounds', `${id}: ${text}`);
  if (doc.error?.code === 'SyncStopped' && written.size > 0) beyond(`it stopped, and wrote ${written.size}`);
  const most = Math.max(LEAST, before.length / 10);
  const lost = [...removed].filter((device) => facts.rowsOfDevice(hubOf(run), device).length === 0);
  if (lost.length > most) beyond(`it withdrew ${lost.length} devices`);
  const changed = changedByDevices(facts, run);
  if (written.size > 0 && changed > LEAST) beyond(`${changed} devices had changed in ${hubOf(run)}`);
}

/** Devices that the last sync left in place, and that spoke in the standby by themselves before this one looked. */
function changedByDevices(facts: Facts, run: KnownRestore): number {
  const hub = hubOf(run);
  const isEarlier = (one: KnownRun): one is KnownRestore =>
    isRestore(one) && one !== run && one.begunAt < run.begunAt && !one.isDrill;
  const last = facts.runs.all().filter(isEarlier).at(-1);
  if (last === undefined || !last.isSync || last.doc.status !== 'Succeeded' || hubOf(last) !== hub) return 0;
  const endedAt = last.endedAt ?? 0;
  const isOwn = ({ by, appliedAt }: KnownRun['before'][number]): boolean => by.kind === 'device' && appliedAt > endedAt;
  const devices = new Set(run.before.filter(isOwn).map((row) => facts.truth.deviceOf(row)));
  return [...devices].filter((device) => last.inPlace.has(device)).length;
}

/** An operator's run begins when the sync into its hub has stopped. */
export function judgeMakingWay(facts: Facts): void {
  for (const sync of facts.runs.all().filter(isRestore)) {
    if (!sync.isSync || sync.doc.error?.code !== 'Superseded') continue;
    const isNext = (one: KnownRun): boolean =>
      isWriter(one) && !one.isDrill && hubOf(one) === hubOf(sync) && one.begunAt > sync.begunAt && one !== sync;
    const next = facts.runs.all().find(isNext);
    const looked = next?.firstListedAt ?? Number.POSITIVE_INFINITY;
    if (sync.lastSentAt > looked)
      facts.violate('syncedBesideARestore', `${sync.id} wrote ${sync.lastSentAt - looked} ms after ${next?.id} looked`);
  }
}

/** When all is quiet, and the role is not in doubt, the newest good snapshot of the hub in use is in the standby. */
export function judgeStandby(facts: Facts, active: string, standby: string): void {
  const newest = facts.runs
    .all()
    .findLast(({ doc }) => doc.kind === 'backup' && doc.status === 'Succeeded' && hubOf({ doc }) === active);
  const knobs = [active, standby].map((hub) => facts.hub(hub)?.knobs);
  // Or later than any run waits for.
  const isAltering = knobs.some((one) => one?.dropsTags === true || (one?.installationDelayMs[1] ?? 0) > LATE_MS);
  if (newest === undefined || newest.doc.kind !== 'backup' || isAltering) return;
  const sync = facts.runs.get(`${newest.id}-sync`);
  const isOfMany = sync?.doc.error?.code === 'SyncStopped' && countGone(facts, active, standby) >= LEAST;
  const how = sync === undefined ? 'none' : `${sync.doc.status} ${sync.doc.error?.message ?? ''}`;
  if (newest.doc.result?.health !== 'good') facts.sometimes('lastSnapshotSuspect');
  else if (isOfMany) facts.sometimes('lastSyncStopped');
  else if (sync?.doc.status === 'Succeeded') facts.sometimes('lastSyncDone');
  else if (facts.poison.isIn(standby) && sync?.doc.error?.code === 'RestoreIncomplete')
    facts.sometimes('poison lastSyncOfTheRest');
  else facts.violate('notSynced', `${newest.id} into ${standby}: ${how}`);
}

/** Records that the app has put into the standby, or both hubs agreed on, and that the hub in use no longer holds. */
function countGone(facts: Facts, active: string, standby: string): number {
  const held = facts.rowsOf(active);
  const gone = facts
    .rowsOf(standby)
    .filter((row) => row.by.kind === 'tool' || facts.wasAgreedOn(row) || wasInPlace(facts, row))
    .filter((row) => !held.some((one) => isOfRecord(row)(one)));
  return new Set(gone.map(({ installationId, handle }) => installationId ?? handle)).size;
}

/** At the end of a restore, which may have been undone since: that takes back only what it wrote. */
function wasInPlace({ runs, truth }: Facts, row: Row): boolean {
  return runs.all().some(({ inPlace }) => inPlace.has(truth.deviceOf(row)));
}
