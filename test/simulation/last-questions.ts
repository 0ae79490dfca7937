import { claimsOf, isRestore } from './oracle/runs.ts';
import type { Teller } from './stories.ts';
import { backUpAndSync, settle } from './sync-stories.ts';

/** Neither a retry nor the role makes a difference to what is asked here. */
const onlyItself = { findRetry: () => undefined, findActive: () => undefined };

/** A restore that was stopped and had written something says so, and that it can be rolled back. */
export async function askAtTheEnd(teller: Teller): Promise<void> {
  const { stage, asker, random } = teller;
  const { oracle } = stage;
  for (const { id, doc, written } of oracle.runs.all()) {
    if (doc.kind !== 'restore' || doc.status !== 'Canceled' || doc.request.purpose === 'rollback') continue;
    if (written.size === 0 || doc.request.dryRun) continue;
    await asker.ask(`view ${id}`, async (app, engine) => {
      const { nextActions, counts, attempted } = await engine.readRestoreView(app, id, onlyItself);
      const isOffered = nextActions.some(({ name }) => name === 'rollback');
      // What no answer came to, or came to a process that died, is counted as attempted.
      const isTold = claimsOf(counts) + counts.failed + attempted > 0;
      if (!isOffered) oracle.violate('offersNoRollback', `${id} wrote ${written.size}`);
      if (!isTold) oracle.violate('canceledSaysNothingWritten', `${id} wrote ${written.size}`);
    });
  }
  if (stage.poison.isDrawn) await askForFailures(teller);
  if (stage.night.hasSyncs && stage.night.hasRoles && !stage.night.onlyCoreHeals) await fillStandby(teller);
  if (random.chance(0.1)) await asker.ask('status', (app, engine) => engine.readStatus(app));
}

/** What a hub always fails at is set aside by name. */
async function askForFailures({ stage: { oracle }, asker }: Teller): Promise<void> {
  for (const run of oracle.runs.all().filter(isRestore)) {
    if (run.doc.result === undefined || run.doc.status === 'Canceled') continue;
    await asker.ask(`failures ${run.id}`, async (app, engine) => {
      oracle.setAside(run, (await engine.readFailures(app, run.id)).value);
    });
  }
}

/** With nothing in its way, the newest snapshot comes into the standby by itself, or after the operator did as it says. */
async function fillStandby(teller: Teller): Promise<void> {
  const { stage, doings } = teller;
  for (const door of stage.doors.values()) door.comeBack();
  await settle(teller);
  await backUpAndSync(teller);
  const last = stage.oracle.runs.all().findLast(({ isSync }) => isSync);
  if (last?.doc.error?.code === 'SyncStopped') {
    await doings.restore({ onConflict: 'overwrite', confirm: `${stage.standby.name}/devices` });
    await settle(teller);
    await backUpAndSync(teller);
  }
  stage.oracle.standbyFilled(stage.inUse.name, stage.standby.name);
}
