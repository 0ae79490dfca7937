import { app } from '@azure/functions';
import { startBackup } from '../src/app/backup/start.ts';
import { appFor, bindings } from '../src/compose.ts';
import { DrError } from '../src/core/errors.ts';

/** Backs the hub in use up on its schedule. The steps that do the work come through the queue. */
app.timer('backup', {
  schedule: bindings.backupSchedule,
  handler: async (_timer, context) => {
    const dr = appFor(context);
    try {
      await startBackup(dr, 'timer');
    } catch (error) {
      // The one before still runs: the next tick finds out.
      if (!(error instanceof DrError && error.code === 'RunInProgress')) throw error;
      dr.log.warn('backup skipped: one is still running', { runId: error.target });
    }
  },
});
