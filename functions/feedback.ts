import { app } from '@azure/functions';
import { cleanUp } from '../src/app/feedback/clean-up.ts';
import { appFor, bindings } from '../src/compose.ts';
import { DrError } from '../src/core/errors.ts';

/** Takes out of the standby what push services call dead, where that is switched on. */
app.timer('feedback', {
  schedule: bindings.feedbackSchedule,
  handler: async (_timer, context) => {
    const dr = appFor(context);
    if (dr.policy.feedbackCleanup === 'off') return;
    try {
      await cleanUp(dr, { by: 'timer' });
    } catch (error) {
      // The card shows why, and the next one continues from there.
      if (!(error instanceof DrError)) throw error;
      dr.log.warn('feedback not processed', { code: error.code, reason: error.message });
    }
  },
});
