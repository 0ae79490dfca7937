import { app } from '@azure/functions';
import { startDrill } from '../src/app/drill/start.ts';
import { appFor, bindings } from '../src/compose.ts';
import { DrError } from '../src/core/errors.ts';

/** Rehearses a restore on its schedule. */
app.timer('drill', {
  schedule: bindings.drillSchedule,
  handler: async (_timer, context) => {
    const dr = appFor(context);
    try {
      await startDrill(dr, 'timer');
    } catch (error) {
      // The previous drill is still active, or there is nothing to rehearse with, which the card already shows.
      if (!(error instanceof DrError && (error.code === 'RunInProgress' || error.code === 'NoGoodSnapshot')))
        throw error;
      dr.log.warn('drill skipped', { code: error.code, reason: error.message });
    }
  },
});
