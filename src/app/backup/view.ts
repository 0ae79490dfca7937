import { type BackupRun, isOver } from '../../core/run/run.ts';
import { amountOf } from '../../core/snapshot/amount.ts';
import type { App } from '../app.ts';
import { readRowsRead } from '../listing/progress.ts';
import { readLive, type Signs, signsOf } from '../runs/living-steps.ts';
import { findRun } from '../runs/store.ts';
import { viewCommon } from '../runs/view.ts';

export async function readBackupView(app: App, runId: string) {
  return viewBackup(app, await findRun(app, 'backup', runId));
}

export async function viewBackup(app: App, run: BackupRun, progress?: BackupProgress) {
  const { rowsRead, ...signs } = progress ?? (await readBackupProgress(app, run));
  return {
    ...viewCommon(run, signs),
    hub: run.hub,
    source: run.isExport ? 'export' : 'list',
    rowsRead,
    result: run.result && { ...run.result, amount: amountOf(countsIn(run.result)) },
  };
}

function countsIn(result: NonNullable<BackupRun['result']>) {
  const { recordCount: records, registrationCount: registrations, deviceCount: devices, duplicateCount } = result;
  return { records, registrations, devices, duplicates: duplicateCount };
}

/** How far a backup is, beside what its run document tells. */
export interface BackupProgress extends Signs {
  readonly rowsRead: number;
}

/**
 * Two requests while the run is active, nothing after. With fewer `requests`, what is not asked for is as it was `known`
 * to be.
 */
export async function readBackupProgress(
  app: App,
  run: BackupRun,
  { requests, known }: { readonly requests: number; readonly known?: BackupProgress | undefined } = { requests: 2 },
): Promise<BackupProgress> {
  if (isOver(run)) return { rowsRead: run.result?.registrationCount ?? 0 };
  const [signs, rowsRead] = await Promise.all([
    requests > 0
      ? readLive(app, run).then((live) => signsOf(app, live))
      : { beatAt: known?.beatAt, waiting: known?.waiting },
    requests > 1 ? readRowsRead(app, run) : (known?.rowsRead ?? 0),
  ]);
  return { rowsRead, ...signs };
}
