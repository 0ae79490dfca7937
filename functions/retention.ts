import { app } from '@azure/functions';
import { prune } from '../src/app/prune.ts';
import { appFor, bindings } from '../src/compose.ts';

/** Deletes snapshots the retention policy no longer keeps. */
app.timer('retention', {
  schedule: bindings.retentionSchedule,
  handler: async (_timer, context) => {
    await prune(appFor(context));
  },
});
