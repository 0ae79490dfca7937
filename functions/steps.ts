import { app } from '@azure/functions';
import { runStep } from '../src/app/run-step.ts';
import { appFor, bindings } from '../src/compose.ts';
import { parseStep } from '../src/core/run/step.ts';

/** Does one step of a backup or a restore. */
app.storageQueue('steps', {
  queueName: bindings.stepQueue,
  connection: bindings.stepQueueConnection,
  handler: async (message, context) => {
    await runStep(appFor(context), parseStep(message));
  },
});
