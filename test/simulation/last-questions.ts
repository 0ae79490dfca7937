import type { Asker } from './asker.ts';
import { claimsOf } from './oracle/runs.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

/** A restore that was stopped and had written something says so, and that it can be rolled back. */
export async function askAtTheEnd(stage: Stage, asker: Asker, random: Random): Promise<void> {
  const { oracle } = stage;
  for (const { id, doc, written } of oracle.runs.all()) {
    if (doc.kind !== 'restore' || doc.status !== 'Canceled' || doc.request.purpose === 'rollback') continue;
    if (written.size === 0 || doc.request.dryRun) continue;
    await asker.ask(`view ${id}`, async (app, engine) => {
      const { nextActions, counts, attempted } = await engine.readRestoreView(app, id);
      const isOffered = nextActions.some(({ name }) => name === 'rollback');
      // What no answer came to, or came to a process that died, is counted as attempted.
      const isTold = claimsOf(counts) + counts.failed + attempted > 0;
      if (!isOffered) oracle.violate('offersNoRollback', `${id} wrote ${written.size}`);
      if (!isTold) oracle.violate('canceledSaysNothingWritten', `${id} wrote ${written.size}`);
    });
  }
  if (random.chance(0.1)) await asker.ask('status', (app, engine) => engine.readStatus(app));
}
