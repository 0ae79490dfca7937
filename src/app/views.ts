import type { RunKind } from '../core/paths.ts';
import type { Run } from '../core/run/run.ts';
import type { App } from './app.ts';
import { viewBackup } from './backup/view.ts';
import { viewRestore } from './restore/view.ts';
import { listRuns } from './runs/store.ts';
import { viewVerification } from './snapshots/view.ts';

/** What the HTTP API shows of runs. Fields are contract: add, never rename. */

const LISTED_RUNS = 50;

export async function listRunViews(app: App, kind: RunKind) {
  const runs = await listRuns(app, kind, LISTED_RUNS);
  return Promise.all(runs.map((run) => viewRun(app, run)));
}

function viewRun(app: App, run: Run) {
  switch (run.kind) {
    case 'backup':
      return viewBackup(app, run);
    case 'restore':
      return viewRestore(app, run);
    case 'verification':
      return viewVerification(app, run);
    default:
      return run satisfies never;
  }
}
