import { newRunId, type RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, toInstant } from '../app.ts';
import { launchRun } from '../runs/launch.ts';
import { readRun, runNotStored } from '../runs/store.ts';

const DAY_MS = 86_400_000;

/** What is decided about a run before it begins; the rest follows from the snapshot and the time. */
export interface NewRestore extends Pick<RestoreRun, 'hub' | 'warnings' | 'requestedBy'> {
  /** The caller's, if there is one. */
  readonly id: string | undefined;
  readonly manifest: Manifest;
  readonly request: Omit<RestoreRun['request'], 'snapshotId' | 'sourceHub' | 'expiryFloorAt'>;
}

/**
 * Makes the run the one active restore of its hub, stores it and enqueues its first step. When its id is taken, the
 * answer is the run that has it. Throws `RunInProgress` while another one lives.
 */
export async function launchRestore(
  app: App,
  { id, manifest, request, ...given }: NewRestore,
): Promise<{ readonly run: RestoreRun; readonly isNew: boolean }> {
  const nowMs = app.world.now();
  const createdAt = toInstant(nowMs);
  const run: RestoreRun = {
    formatVersion: 1,
    kind: 'restore',
    id: id ?? newRunId(nowMs, app.world.newSuffix()),
    status: 'Running',
    createdAt,
    phase: { name: 'scan', pass: 1, isDispatched: false, startedAt: createdAt },
    shardCount: manifest.shards.length,
    kicks: 0,
    recordCount: manifest.counts.records,
    ...given,
    request: {
      ...request,
      snapshotId: manifest.id,
      sourceHub: manifest.hub,
      expiryFloorAt: toInstant(nowMs + app.policy.expiryFloorDays * DAY_MS),
    },
  };
  if (!(await launchRun(app, run))) {
    const existing = (await readRun(app, 'restore', run.id))?.run;
    if (existing?.kind !== 'restore') throw runNotStored('restore', run.id);
    return { run: existing, isNew: false };
  }
  const { purpose, of } = run.request;
  app.log.info('restore started', { runId: run.id, purpose, of, snapshotId: manifest.id, records: run.recordCount });
  return { run, isNew: true };
}
