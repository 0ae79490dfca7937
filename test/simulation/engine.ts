import { pathToFileURL } from 'node:url';
import { plantedUrl, prepareCopy } from './modules.ts';
import { isPlantName, plants } from './planted/plants.ts';

type Loaded<T> = Promise<T>;

/** The app's entry functions as one build has them: the real one, or a copy with a planted bug. */
export type Engine = Awaited<ReturnType<typeof loadEngine>>;

/** Loads a build's modules, or a copy of them with a known bug; `dist` is the folder that holds `src`. */
export async function loadEngine(dist: string, bug?: string) {
  const root = pathToFileURL(`${dist}/src/`);
  if (bug !== undefined) await prepareCopy(root, bug, isPlantName(bug) ? plants[bug].changes : []);
  const load = (path: string) => {
    const { href } = new URL(path, root);
    return import(bug === undefined ? href : plantedUrl(href, bug));
  };
  const app: Loaded<typeof import('../../src/app/app.ts')> = load('app/app.js');
  const backup: Loaded<typeof import('../../src/app/backup/start.ts')> = load('app/backup/start.js');
  const start: Loaded<typeof import('../../src/app/restore/start.ts')> = load('app/restore/start.js');
  const cancel: Loaded<typeof import('../../src/app/restore/outcomes/cancel.ts')> = load(
    'app/restore/outcomes/cancel.js',
  );
  const retry: Loaded<typeof import('../../src/app/restore/retry.ts')> = load('app/restore/retry.js');
  const rollback: Loaded<typeof import('../../src/app/restore/rollback.ts')> = load('app/restore/rollback.js');
  const view: Loaded<typeof import('../../src/app/restore/view.ts')> = load('app/restore/view.js');
  const failures: Loaded<typeof import('../../src/app/restore/failures.ts')> = load('app/restore/failures.js');
  const late: Loaded<typeof import('../../src/app/restore/imports/late.ts')> = load('app/restore/imports/late.js');
  const pruned: Loaded<typeof import('../../src/app/prune.ts')> = load('app/prune.js');
  const pin: Loaded<typeof import('../../src/app/snapshots/pin.ts')> = load('app/snapshots/pin.js');
  const deletion: Loaded<typeof import('../../src/app/erasure/delete-snapshot.ts')> = load(
    'app/erasure/delete-snapshot.js',
  );
  const verification: Loaded<typeof import('../../src/app/snapshots/start-verification.ts')> = load(
    'app/snapshots/start-verification.js',
  );
  const unverified: Loaded<typeof import('../../src/app/snapshots/cancel-verification.ts')> = load(
    'app/snapshots/cancel-verification.js',
  );
  const runStep: Loaded<typeof import('../../src/app/steps/run-step.ts')> = load('app/steps/run-step.js');
  const moving: Loaded<typeof import('../../src/app/steps/keep-moving.ts')> = load('app/steps/keep-moving.js');
  const stop: Loaded<typeof import('../../src/app/steps/host-stop.ts')> = load('app/steps/host-stop.js');
  const watchdog: Loaded<typeof import('../../src/app/watchdog.ts')> = load('app/watchdog.js');
  const startDrill: Loaded<typeof import('../../src/app/drill/start.ts')> = load('app/drill/start.js');
  const advance: Loaded<typeof import('../../src/app/drill/advance.ts')> = load('app/drill/advance.js');
  const sync: Loaded<typeof import('../../src/app/standby-sync.ts')> = load('app/standby-sync.js');
  const review: Loaded<typeof import('../../src/app/readiness/review.ts')> = load('app/readiness/review.js');
  const role: Loaded<typeof import('../../src/app/runs/declare-role.ts')> = load('app/runs/declare-role.js');
  const status: Loaded<typeof import('../../src/app/readiness/status.ts')> = load('app/readiness/status.js');
  const card: Loaded<typeof import('../../src/app/readiness/card-store.ts')> = load('app/readiness/card-store.js');
  const errors: Loaded<typeof import('../../src/core/errors.ts')> = load('core/errors.js');
  const request: Loaded<typeof import('../../src/core/request/restore.ts')> = load('core/request/restore.js');
  const roleRequest: Loaded<typeof import('../../src/core/request/role.ts')> = load('core/request/role.js');
  const step: Loaded<typeof import('../../src/core/run/step.ts')> = load('core/run/step.js');
  const paths: Loaded<typeof import('../../src/core/paths.ts')> = load('core/paths.js');
  const { parseRestoreRequest, parseRetryRequest, parseRollbackRequest } = await request;
  return {
    createMemory: (await app).createMemory,
    startBackup: (await backup).startBackup,
    startRestore: (await start).startRestore,
    cancelRestore: (await cancel).cancelRestore,
    startRetry: (await retry).startRetry,
    startRollback: (await rollback).startRollback,
    readRestoreView: (await view).readRestoreView,
    watchImports: (await late).watchImports,
    prune: (await pruned).prune,
    pinSnapshot: (await pin).pinSnapshot,
    unpinSnapshot: (await pin).unpinSnapshot,
    deleteSnapshot: (await deletion).deleteSnapshot,
    startVerification: (await verification).startVerification,
    cancelVerification: (await unverified).cancelVerification,
    runStep: (await runStep).runStep,
    watchActiveRuns: (await moving).watchActiveRuns,
    stopSteps: (await stop).stopSteps,
    watchRuns: (await watchdog).watchRuns,
    startDrill: (await startDrill).startDrill,
    advanceDrills: (await advance).advanceDrills,
    advanceSync: (await sync).advanceSync,
    reviewReadiness: (await review).reviewReadiness,
    readStatus: (await status).readStatus,
    declareRole: (await role).declareRole,
    parseRoleRequest: (await roleRequest).parseRoleRequest,
    noteOnCard: (await card).noteOnCard,
    DrError: (await errors).DrError,
    RecordFault: (await errors).RecordFault,
    readFailures: (await failures).readFailures,
    parseStep: (await step).parseStep,
    leaseName: (await paths).leaseName,
    ROLE_NAME: (await paths).ROLE_NAME,
    parseRestoreRequest,
    parseRetryRequest,
    parseRollbackRequest,
  };
}
