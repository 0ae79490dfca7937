import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, toInstant } from '../app.ts';
import { launchRun, newRun } from '../runs/launch.ts';

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
  const base = newRun(app, 'scan', id);
  const launched = await launchRun(app, {
    ...base,
    ...given,
    kind: 'restore',
    shardCount: manifest.shards.length,
    recordCount: manifest.counts.records,
    request: {
      ...request,
      snapshotId: manifest.id,
      sourceHub: manifest.hub,
      expiryFloorAt: toInstant(Date.parse(base.createdAt) + app.policy.expiryFloorDays * DAY_MS),
    },
  });
  const { run } = launched;
  const { purpose, of } = run.request;
  if (launched.isNew) {
    app.log.info('restore started', { runId: run.id, purpose, of, snapshotId: manifest.id, records: run.recordCount });
  }
  return launched;
}
