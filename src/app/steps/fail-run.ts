import { DrError, orFault } from '../../core/errors.ts';
import type { RestoreRun, Run } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { sumRestore } from '../restore/outcomes/totals.ts';
import { endRun, failureOf } from '../runs/end.ts';
import { storeProof } from '../snapshots/marks.ts';
import { readManifest } from '../snapshots/store.ts';
import { sumVerification } from '../snapshots/verify.ts';

/** Ends a run with an error; a restore or verification keeps its counts, so that its status still adds up. */
export async function failRun(app: App, run: Run, error: DrError): Promise<Run> {
  const ended = { error: failureOf(error) };
  switch (run.kind) {
    case 'backup':
      return endRun(app, run, 'Failed', ended);
    case 'restore':
      if (error.code === 'SnapshotCorrupt') await noteDamage(app, run);
      return endRun(app, run, 'Failed', { ...ended, result: await sumRestore(app, run) });
    case 'verification':
      return endRun(app, run, 'Failed', { ...ended, result: await sumVerification(app, run) });
    default:
      return run satisfies never;
  }
}

/** `latest` passes over the snapshot from now on. One whose manifest is damaged it passes over as it is. */
async function noteDamage(app: App, run: RestoreRun): Promise<void> {
  const { purpose, sourceHub, snapshotId } = run.request;
  const manifest = await orFault(readManifest(app, sourceHub, snapshotId));
  if (manifest === undefined || manifest instanceof DrError) return;
  await storeProof(app, manifest, { how: purpose === 'drill' ? 'drill' : 'restore', runId: run.id, isSound: false });
}
