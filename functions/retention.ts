import { app } from '@azure/functions';
import { pruneFeedback } from '../src/app/feedback/state.ts';
import { prune } from '../src/app/prune.ts';
import { pruneAudit } from '../src/app/stored/audit.ts';
import { appFor, bindings } from '../src/compose.ts';

/** Deletes snapshots the retention policy no longer keeps, and old audit records. */
app.timer('retention', {
  schedule: bindings.retentionSchedule,
  handler: async (_timer, context) => {
    const opened = appFor(context);
    await prune(opened);
    await pruneAudit(opened);
    await pruneFeedback(opened);
  },
});
