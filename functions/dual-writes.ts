import { app } from '@azure/functions';
import { parseDualStep, repairFolder } from '../src/app/dual/lane.ts';
import { appFor, bindings } from '../src/compose.ts';

/** Brings what backends have written, and one hub has not confirmed, to both hubs. */
app.storageQueue('dualWrites', {
  queueName: bindings.stepQueues.writes,
  connection: bindings.stepQueueConnection,
  handler: (message, context) => repairFolder(appFor(context), parseDualStep(message)),
});
