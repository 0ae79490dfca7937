import { DrError } from '../../core/errors.ts';
import type { RunKind } from '../../core/paths.ts';
import { newRunId, type OfKind, type Phase, type Run, type RunOf } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';
import { dispatch } from './dispatch.ts';
import { BIRTH_MS, endTakenOver, takeLock } from './lock.ts';
import { createRun, readRun } from './store.ts';

/** What every new run begins with; its id is made here unless the caller has one. */
export function newRun(app: App, phase: Phase['name'], id?: string) {
  const nowMs = app.world.storageNow();
  const createdAt = toInstant(nowMs);
  return {
    formatVersion: 1,
    id: id ?? newRunId(nowMs, app.world.newSuffix()),
    status: 'Running',
    createdAt,
    phase: { name: phase, pass: 1, isDispatched: false, startedAt: createdAt },
    kicks: 0,
  } as const;
}

/**
 * Makes the run the one active of its kind on its hub, stores it and enqueues its first step. When its id is taken, the
 * answer is the run that has it. Throws `RunInProgress` while another one lives.
 */
export async function launchRun<Kind extends RunKind>(
  app: App,
  run: OfKind<Kind>,
): Promise<{ readonly run: RunOf<Kind>; readonly isNew: boolean }> {
  let beganAt = app.world.now();
  const wasFrozen = (): boolean => app.world.now() - beganAt >= BIRTH_MS;
  await takeLock(app, run);
  if (wasFrozen()) {
    beganAt = app.world.now();
    await takeLock(app, run);
  }
  if (await createRun(app, run)) {
    if (wasFrozen()) await takeAgain(app, run);
    await dispatch(app, run);
    return { run, isNew: true };
  }
  const existing = await readRun(app, run.kind, run.id);
  if (existing !== undefined) return { run: existing, isNew: false };
  const message = `The ${run.kind} '${run.id}' could not be stored: start it again.`;
  throw new DrError('StorageUnavailable', message, { target: run.id, retryable: true });
}

/** The lock of a run that is not stored in time is taken for one left behind. What has no lock nothing watches. */
async function takeAgain(app: App, run: Run): Promise<void> {
  try {
    await takeLock(app, run);
  } catch (error) {
    await endTakenOver(app, run);
    throw error;
  }
}
