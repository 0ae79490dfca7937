import { DrError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import type { Hub } from '../core/ports.ts';
import type { RestoreRequest } from '../core/restore-request.ts';
import { isRunId, newRunId, type RestoreRun } from '../core/run.ts';
import { type App, isSameHub, toInstant } from './app.ts';
import { dispatch } from './dispatch.ts';
import { createRun, readRun, runNotStored, takeLock } from './run-store.ts';
import { checkShardsStored, chooseSnapshot } from './snapshots.ts';

const DAY_MS = 86_400_000;
/** The caller waits for the preflight; a hub that needs longer is not reachable for this purpose. */
const PREFLIGHT_MS = 10_000;

/** Active devices a namespace may hold (service-facts section 3). */
const deviceLimits = { Free: 500, Basic: 200_000, Standard: 10_000_000 } as const;

export interface StartedRestore {
  readonly run: RestoreRun;
  /** False when the caller repeated a request whose run exists. */
  readonly isNew: boolean;
}

/**
 * Checks everything that can be checked before the first write, then starts a restore. With a caller's id it is
 * idempotent: the same request again finds its run, another one under that id is `RunIdInUse`.
 */
export async function startRestore(app: App, request: RestoreRequest, callersId?: string): Promise<StartedRestore> {
  if (callersId !== undefined) {
    refuseBadId(callersId);
    const existing = await findExisting(app, callersId, request);
    if (existing !== undefined) return { run: existing, isNew: false };
  }
  await app.blobs.ensure();
  const target = request.target === 'primary' ? app.primary : app.secondary;
  const { manifest, warnings: found } = await chooseSnapshot(app, app.primary.ref, request.snapshot);
  refuseUnsafeTarget(request, manifest, target);
  await checkShardsStored(app, manifest);
  const warnings = [...found, ...(await preflight(app, target, manifest, request))];
  const nowMs = app.clock.now();
  const createdAt = toInstant(nowMs);
  const run: RestoreRun = {
    formatVersion: 1,
    kind: 'restore',
    id: callersId ?? newRunId(nowMs, app.newSuffix()),
    status: 'Running',
    requestedBy: 'http',
    createdAt,
    hub: target.ref,
    phase: { name: 'scan', pass: 1, isDispatched: false, startedAt: createdAt },
    shardCount: manifest.shards.length,
    kicks: 0,
    warnings,
    recordCount: manifest.counts.records,
    request: {
      snapshotId: manifest.id,
      askedSnapshot: request.snapshot,
      target: request.target,
      sourceHub: manifest.hub,
      onConflict: request.onConflict,
      dryRun: request.dryRun,
      expiryFloorAt: toInstant(nowMs + app.policy.expiryFloorDays * DAY_MS),
    },
  };
  await takeLock(app, 'restore', run.hub, run.id);
  if (!(await createRun(app, run))) {
    const existing = await findExisting(app, run.id, request);
    if (existing === undefined) throw runNotStored('restore', run.id);
    return { run: existing, isNew: false };
  }
  await dispatch(app, run);
  app.log.info('restore started', { runId: run.id, snapshotId: manifest.id, records: run.recordCount });
  return { run, isNew: true };
}

function refuseBadId(runId: string): void {
  if (isRunId(runId)) return;
  throw new DrError(
    'BadRequest',
    'A restore id is 1 to 64 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit.',
    { target: 'id' },
  );
}

async function findExisting(app: App, runId: string, request: RestoreRequest): Promise<RestoreRun | undefined> {
  const run = (await readRun(app, 'restore', runId))?.run;
  if (run?.kind !== 'restore') return undefined;
  const { askedSnapshot, target, onConflict, dryRun } = run.request;
  const isSame =
    askedSnapshot === request.snapshot &&
    target === request.target &&
    onConflict === request.onConflict &&
    dryRun === request.dryRun;
  if (isSame) return run;
  throw new DrError('RunIdInUse', `The restore '${runId}' exists with another request. Choose another id.`, {
    target: runId,
  });
}

function refuseUnsafeTarget(request: RestoreRequest, manifest: Manifest, target: Hub): void {
  if (request.confirm !== undefined && request.confirm.toLowerCase() !== target.ref.hub) {
    throw new DrError(
      'ConfirmationMissing',
      'The confirm field does not name the target hub. Type the name of the hub that is to be written to.',
      { target: 'confirm' },
    );
  }
  if (!isSameHub(manifest.hub, target.ref) || request.confirm !== undefined) return;
  throw new DrError(
    'TargetIsSource',
    `The target is the hub the snapshot was taken from. If that is meant, add "confirm":"${target.ref.hub}" to the body.`,
    { target: 'target' },
  );
}

/** Reachable, with the rights, and large enough. What cannot be known is a warning, not a guess. */
async function preflight(app: App, target: Hub, manifest: Manifest, request: RestoreRequest): Promise<string[]> {
  const warnings: string[] = [];
  const probe = await target.probe({ deadlineAt: app.clock.now() + PREFLIGHT_MS });
  const told = request.target === 'secondary' ? app.policy.secondaryTier : undefined;
  const tier = told ?? (probe.tier === 'BasicOrFree' ? 'Basic' : probe.tier);
  if (tier === 'unknown')
    warnings.push('The tier of the target could not be learnt, so its device limit was not checked.');
  else if (manifest.counts.records > deviceLimits[tier]) {
    throw new DrError(
      'TargetTooSmall',
      `The snapshot holds ${manifest.counts.records} devices; the target's tier (${tier}) takes ${deviceLimits[tier]}. ` +
        'Raise the tier of its namespace, then restore again.',
      { target: 'target' },
    );
  }
  const undeliverable = manifest.counts.byPlatform['Gcm'] ?? 0;
  if (undeliverable > 0) {
    warnings.push(`${undeliverable} registrations are of platform Gcm, to which nothing can be delivered since 2024.`);
  }
  if (manifest.health === 'suspect') {
    warnings.push(`The snapshot is suspect: ${manifest.healthReasons.join('; ')}.`);
  }
  return warnings;
}
