import { app } from '@azure/functions';
import type { App } from './app/app.ts';
import { appFor, bindings } from './compose.ts';
import type { QueueName } from './core/ports.ts';
import { parseStep, type Step } from './core/run/step.ts';
import { inSpan } from './telemetry/record.ts';

/** Registers a function that does the steps of a queue. The slots of `host.json` are for each function. */
export function steps(name: string, queue: QueueName, work: (app: App, step: Step) => Promise<void>): void {
  app.storageQueue(name, {
    queueName: bindings.stepQueues[queue],
    connection: bindings.stepQueueConnection,
    handler: async (message, context) => {
      const step = parseStep(message);
      await inSpan(step, () => work(appFor(context), step));
    },
  });
}
