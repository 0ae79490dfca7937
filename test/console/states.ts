import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startDrill } from '../../src/app/drill/start.ts';
import { startRetry } from '../../src/app/restore/retry.ts';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { watch } from '../../src/app/watchdog.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { beginRestore } from '../support/drive.ts';
import { aBackedUpStage, aReadyStage, aStage, later, nextBackup, type Stage, secondary, step, until } from './stage.ts';

/** What the console is shown for: an app as it is then, and the address of the view. */
export interface State {
  readonly app: App;
  readonly now: () => number;
  /** After the `#`. */
  readonly hash: string;
  /** What must be seen, in all of it. */
  readonly shows: readonly (string | RegExp)[];
}

const shown = ({ engine }: Stage, hash: string, ...shows: State['shows']): State => ({
  app: engine.app,
  now: engine.app.world.now,
  hash,
  shows,
});
const overview = (stage: Stage, ...shows: State['shows']): State => shown(stage, '/', ...shows);
const runPage = (stage: Stage, id: string, ...shows: State['shows']): State =>
  shown(stage, `/restores/${id}`, ...shows);

const confirm = `${secondary.namespace}/${secondary.hub}`;
const asked = { note: 'INC-4711 region down', confirm };

interface WithRun {
  readonly stage: Stage;
  readonly id: string;
}

/** Some records are refused. */
async function aFailedRestore(): Promise<WithRun> {
  const stage = await aReadyStage();
  const { engine } = stage;
  engine.secondary.intercept = (_kind, id) =>
    /^(1\d9-|device-1\d)/.test(id)
      ? { kind: 'rejected', status: 400, reason: 'Rejected', words: 'The tags of this registration are not valid.' }
      : undefined;
  const { run } = await startRestore(engine.app, parseRestoreRequest(JSON.stringify(asked)), { askedBy: 'Zoë' });
  await later(stage, 30);
  engine.secondary.intercept = () => undefined;
  return { stage, id: run.id };
}

async function aRetry(): Promise<WithRun> {
  const { stage, id } = await aFailedRestore();
  const retry = await startRetry(stage.engine.app, id, {}, 'Zoë');
  await later(stage, 30);
  return { stage, id: retry.id };
}

async function aRestore(body: object = asked): Promise<WithRun> {
  const stage = await aReadyStage();
  stage.weather.writeMs = 45;
  const id = await beginRestore(stage.engine.app, body);
  await later(stage, 30);
  stage.weather.writeMs = 0;
  return { stage, id };
}

async function aRollback(): Promise<WithRun> {
  const { stage, id } = await aRestore();
  const run = await startRollback(stage.engine.app, id, { confirm }, { askedBy: 'Zoë' });
  await later(stage, 30);
  return { stage, id: run.id };
}

async function aFailover(): Promise<Stage> {
  const { stage } = await aRestore({ ...asked, activate: true });
  await nextBackup(stage, 0);
  return stage;
}

/** Only looked at: done once. */
function aSync(): Promise<WithRun> {
  synced ??= makeSync();
  return synced;
}

let synced: Promise<WithRun> | undefined;

async function makeSync(): Promise<WithRun> {
  const stage = await aReadyStage({ policy: { standbySync: 'afterBackup' } });
  return { stage, id: syncRunId(await nextBackup(stage, 3)) };
}

/** By the name of each what the console can show. */
export const states = {
  async empty() {
    const stage = aStage();
    await watch(stage.engine.app);
    return overview(stage, 'Not ready', 'Back up now', 'None yet. A backup creates one.');
  },
  async ready() {
    const { stage } = await aRestore({ dryRun: true });
    return overview(stage, 'Ready', 'Dry run of a restore');
  },
  async atRisk() {
    const stage = await aBackedUpStage();
    const { app } = stage.engine;
    const silent = { ...app, notifier: { ...app.notifier, hasWebhook: false, hasHeartbeat: false } };
    return {
      ...overview(stage, 'At risk', 'Verify the newest', /^No alert is sent when something fails/),
      app: silent,
    };
  },
  async notReady() {
    const stage = await aReadyStage();
    stage.weather.isAway = true;
    await later(stage, 700);
    return overview(stage, 'Not ready', /has not answered since/, 'Check the deployment');
  },
  async primaryAway() {
    const stage = await aReadyStage();
    stage.weather.isSourceAway = true;
    await later(stage, 60);
    await later(stage, 700);
    await startBackup(stage.engine.app, 'timer');
    await step(stage.engine);
    return overview(stage, 'At risk', `Fail over to ${confirm} …`, /^Waiting for contoso/, 'Stop the backup');
  },
  async choose() {
    const { stage } = await aRestore();
    return shown(stage, '/restore', 'Choose what to restore', /takes about/, /the standby \(secondary\)/);
  },
  async dryRun() {
    const { stage } = await aRollback();
    const id = await beginRestore(stage.engine.app, { dryRun: true, activate: true });
    await later(stage, 5);
    return runPage(stage, id, 'Confirm the failover', /^Restoring \d+ records takes about/);
  },
  async running() {
    const { stage } = await aRollback();
    stage.weather.writeMs = 120;
    const id = await beginRestore(stage.engine.app, { ...asked, resurrect: true });
    await until(stage, id, ({ percent }) => percent > 40);
    return runPage(stage, id, /^Writing: [4-9]\d %/, 'You may close this page: the app does the work.');
  },
  async throttled() {
    const stage = await aReadyStage();
    stage.weather.throttledMs = 900;
    const id = await beginRestore(stage.engine.app, asked);
    await until(stage, id, ({ percent }) => percent > 20);
    return runPage(stage, id, 'Lost to throttling', /^\d+ s$/);
  },
  async hubAway() {
    const stage = await aReadyStage();
    stage.weather.writeMs = 120;
    const id = await beginRestore(stage.engine.app, asked);
    await until(stage, id, ({ percent }) => percent > 30);
    stage.weather.isAway = true;
    await until(stage, id, ({ waiting }) => waiting !== undefined);
    stage.engine.advance(5000);
    return runPage(stage, id, /^Waiting for contoso-push-northeurope/);
  },
  async failed() {
    const { stage, id } = await aFailedRestore();
    return runPage(stage, id, 'Incomplete', 'Why records failed', /^The hub says: The tags/, 'Retry the failed ones');
  },
  async overviewAfterFailure() {
    const { stage } = await aFailedRestore();
    return overview(stage, 'Restore is incomplete', 'See what failed, and retry', 'Readiness for a failover: At risk.');
  },
  async finished() {
    const { stage, id } = await aRestore();
    const stays = /^contoso-push-northeurope.devices, the standby, holds these devices now\..+stays the hub in use/;
    return runPage(stage, id, 'Proof of the restore', 'Restored and proven', 'Next steps', stays);
  },
  async finishedWhileAway() {
    const { stage, id } = await aRestore();
    stage.weather.isSourceAway = true;
    await later(stage, 60);
    await later(stage, 700);
    return runPage(
      stage,
      id,
      /^contoso-push-n.+, the standby, holds .+ the hub in use, does not answer\.$/,
      /^Then point your backends at/,
    );
  },
  async switched() {
    const { stage, id } = await aRestore({ ...asked, activate: true });
    return runPage(stage, id, 'Proof of the failover', /^Point your backends at/, /fail back from the overview/);
  },
  async retry() {
    const { stage, id } = await aRetry();
    return runPage(stage, id, 'Retry', /^\d+ \+ \d+ = (\d+) of \1 records are in place\.$/);
  },
  async overviewAfterRetry() {
    const { stage } = await aRetry();
    return overview(stage, /^\d+ \+ \d+ = \d+ records$/);
  },
  async rollback() {
    const { stage, id } = await aRollback();
    return runPage(stage, id, 'Rollback', 'Rolled back');
  },
  async standby() {
    const { stage } = await aSync();
    return overview(stage, 'Ready', 'in step');
  },
  async syncOfStandby() {
    const { stage, id } = await aSync();
    return runPage(stage, id, 'Standby sync', 'Restored and proven');
  },
  async drill() {
    const stage = await aReadyStage({ hasScratchHub: true });
    await startDrill(stage.engine.app, 'http');
    return overview(stage, 'Restoring into the scratch hub …');
  },
  async failedOver() {
    return overview(await aFailover(), 'Fail back to contoso-push-westeurope/devices …');
  },
  async failback() {
    const stage = await aFailover();
    const id = await beginRestore(stage.engine.app, { dryRun: true, activate: true });
    await later(stage, 5);
    return runPage(stage, id, 'Confirm the failback', 'Fail back to contoso-push-westeurope/devices');
  },
} satisfies Readonly<Record<string, () => Promise<State>>>;
