import type { RunKind } from '../core/paths.ts';
import type { RestoreRun, Run } from '../core/run/run.ts';
import type { App } from './app.ts';
import { viewBackup } from './backup/view.ts';
import { openRetries } from './restore/outcomes/retried.ts';
import { findActiveHub, viewRestore } from './restore/view.ts';
import { listRunsBefore } from './runs/store.ts';
import { viewVerification } from './snapshots/view.ts';
import { once } from './stored/once.ts';

/** What the HTTP API shows of runs. Fields are contract: add, never rename. */

const LISTED_RUNS = 50;

/** Newest first. `from` is the `next` of the page before. */
export async function listRunViews(app: App, kind: RunKind, from?: string) {
  const { value, next } = await listRunsBefore(app, kind, LISTED_RUNS, from);
  const findRetry = openRetries(app, value.filter(isRestore));
  const findActive = once(() => findActiveHub(app));
  return { value: await Promise.all(value.map((run) => viewRun(app, run, { findRetry, findActive }))), next };
}

function isRestore(run: Run): run is RestoreRun {
  return run.kind === 'restore';
}

function viewRun(app: App, run: Run, shown: Parameters<typeof viewRestore>[2]) {
  switch (run.kind) {
    case 'backup':
      return viewBackup(app, run);
    case 'restore':
      return viewRestore(app, run, shown);
    case 'verification':
      return viewVerification(app, run);
    default:
      return run satisfies never;
  }
}
