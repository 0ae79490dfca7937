import { DrError } from '../../core/errors.ts';
import { isRunId, type RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { refuseIfHeld } from '../runs/lock.ts';
import { readRun } from '../runs/store.ts';
import { checkShardsStored, chooseSnapshot } from '../snapshots/store.ts';
import { launchRestore } from './launch.ts';
import { preflight, type RestoreOrder, refuseUnsafeTarget, targetOf } from './preflight.ts';

export interface StartOptions {
  /** The caller's own id. */
  readonly id?: string | undefined;
  readonly purpose?: 'restore' | 'drill';
  readonly requestedBy?: RestoreRun['requestedBy'];
}

/**
 * Checks everything that can be checked before the first write, then starts a restore. With a caller's id it is
 * idempotent: the same request again finds its run, which then is not new, another one under that id is `RunIdInUse`.
 */
export async function startRestore(
  app: App,
  request: RestoreOrder,
  { id, purpose = 'restore', requestedBy = 'http' }: StartOptions = {},
) {
  if (id !== undefined) {
    refuseBadId(id);
    const existing = await readRun(app, 'restore', id);
    if (existing !== undefined) return { run: requireSame(existing, request), isNew: false };
  }
  await app.blobs.ensure();
  const target = targetOf(app, request.target);
  await refuseIfHeld(app, 'restore', target.ref, id);
  const { manifest, warnings: found } = await chooseSnapshot(app, app.primary.ref, request.snapshot);
  refuseUnsafeTarget(request, manifest, target);
  await checkShardsStored(app, manifest);
  const warnings = [
    ...found,
    ...(await preflight(app, target, manifest, { role: request.target, isWhole: request.only === undefined })),
  ];
  const { snapshot, confirm: _confirm, ...asked } = request;
  const started = await launchRestore(app, {
    id,
    manifest,
    hub: target.ref,
    warnings,
    requestedBy,
    request: { purpose, askedSnapshot: snapshot, ...asked },
  });
  return started.isNew ? started : { run: requireSame(started.run, request), isNew: false };
}

function refuseBadId(runId: string): void {
  if (isRunId(runId)) return;
  const message =
    'A restore id is 1 to 64 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit.';
  throw new DrError('BadRequest', message, { target: 'id' });
}

/** What was asked for under an id stays: the same request finds it, another one is refused. */
function requireSame(run: RestoreRun, request: RestoreOrder): RestoreRun {
  const { purpose, askedSnapshot, target, onConflict, leftovers, resurrect, dryRun, only, order, note } = run.request;
  const isSame =
    (purpose === 'restore' || purpose === 'drill') &&
    askedSnapshot === request.snapshot &&
    target === request.target &&
    onConflict === request.onConflict &&
    dryRun === request.dryRun &&
    JSON.stringify([leftovers, resurrect, only, order, note]) ===
      JSON.stringify([request.leftovers, request.resurrect, request.only, request.order, request.note]);
  if (isSame) return run;
  const message = `The restore '${run.id}' exists with another request. Choose another id.`;
  throw new DrError('RunIdInUse', message, { target: run.id });
}
