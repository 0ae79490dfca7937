import { turned } from '../../core/baseline/record.ts';
import { DrError, RecordFault } from '../../core/errors.ts';
import type { FeedbackItem } from '../../core/feedback/run.ts';
import { versionHashOf, versionOfRows } from '../../core/fingerprint/row.ts';
import { isFirstOfPair } from '../../core/paths.ts';
import type { CallOptions } from '../../core/ports.ts';
import { keyHashOf } from '../../core/registration/record.ts';
import { type App, toInstant } from '../app.ts';
import { changeDead } from '../baseline/dead.ts';
import { findInstallationRows } from '../listing/hub-rows.ts';
import type { Roles } from '../runs/roles.ts';
import { forEachConcurrent } from '../stored/concurrent.ts';
import type { Doomed } from './plan.ts';

export interface Removed {
  readonly items: readonly FeedbackItem[];
  /** Hashes of the marks of which all is done. */
  readonly done: ReadonlySet<string>;
  /** What ended it early. */
  readonly fault: DrError | undefined;
}

/**
 * Removes records from the standby, each only as it was seen. That they are to stay out is stored before: a restore that
 * comes between sees it. What did not go is taken out of that again.
 */
export async function removeDoomed(
  app: App,
  roles: Roles,
  doomed: readonly Doomed[],
  call: CallOptions,
): Promise<Removed> {
  const pair = [roles.active.ref, roles.standby.ref] as const;
  const stored = isFirstOfPair(...pair) ? tombstoneOf : (one: Doomed) => turned(tombstoneOf(one));
  await changeDead(app, pair, { put: doomed.map(stored), drop: () => false });
  const items: FeedbackItem[] = [];
  const kept = new Set<number>();
  const open = new Set<string>();
  const installations: Doomed[] = [];
  let fault: DrError | undefined;
  const keep = ({ mark, record }: Doomed): void => {
    kept.add(keyHashOf(record.key));
    open.add(mark.hash);
  };
  await forEachConcurrent(doomed, app.policy.maxConcurrency, async (one) => {
    if (one.record.standby.length === 0) return;
    if (fault !== undefined || app.world.now() >= call.deadlineAt) return keep(one);
    try {
      const outcome = await removeOne(roles, one, call);
      items.push(...itemsOf(one, outcome));
      if (outcome === 'changed') keep(one);
      else if (one.record.installationId !== undefined) installations.push(one);
    } catch (error) {
      if (!(error instanceof DrError)) throw error;
      keep(one);
      items.push(...itemsOf(one, 'failed'));
      if (!(error instanceof RecordFault)) fault = error;
    }
  });
  if (fault === undefined && installations.length > 0) await finishInstallations(app, roles, installations, call);
  if (kept.size > 0) await changeDead(app, pair, { put: [], drop: ({ keyHash }) => kept.has(keyHash) });
  const done = new Set(doomed.map(({ mark }) => mark.hash).filter((hash) => !open.has(hash)));
  return { items, done, fault };
}

/** As seen from the hub in use: what that holds now is not its device's later word. */
function tombstoneOf({ record, activeVersion, lookedAt }: Doomed) {
  const source = { version: activeVersion, at: lookedAt };
  const target = { version: undefined, at: lookedAt };
  return { keyHash: keyHashOf(record.key), agreed: { kind: 'tombstone' as const, source, target }, note: undefined };
}

async function removeOne(roles: Roles, { record }: Doomed, call: CallOptions): Promise<'removed' | 'changed'> {
  const { installationId, standby } = record;
  if (installationId === undefined) {
    const ends = [];
    for (const { id, etag } of standby) ends.push(await roles.standby.deleteRegistration(id, etag, call));
    return ends.includes('changed') ? 'changed' : 'removed';
  }
  const now = await findInstallationRows(roles.standby, installationId, call);
  if (now.length > 0 && versionOfRows(now) !== versionOfRows(standby)) return 'changed';
  await roles.standby.deleteInstallation(installationId, call);
  return 'removed';
}

/** A row may stay behind when its installation is deleted: once the hub has had time, it is deleted by itself. */
async function finishInstallations(
  app: App,
  { standby }: Roles,
  installations: readonly Doomed[],
  call: CallOptions,
): Promise<void> {
  await app.world.sleep(app.policy.settleSeconds * 1000);
  await forEachConcurrent(installations, app.policy.maxConcurrency, async ({ record }) => {
    if (record.installationId === undefined || app.world.now() >= call.deadlineAt) return;
    const versions = new Set(record.standby.map(versionHashOf));
    const left = await findInstallationRows(standby, record.installationId, call);
    for (const row of left)
      if (versions.has(versionHashOf(row))) await standby.deleteRegistration(row.id, row.etag, call);
  });
}

export function itemsOf({ mark, record }: Doomed, outcome: FeedbackItem['outcome']): FeedbackItem[] {
  const { platform } = mark;
  const deadAt = toInstant(mark.at);
  return record.installationId === undefined
    ? record.standby.map(({ id }) => ({ kind: 'registration', id, platform, deadAt, outcome }))
    : [{ kind: 'installation', id: record.installationId, platform, deadAt, outcome }];
}
