import type { QueueServiceClient } from '@azure/storage-queue';
import type { FunctionDefinition, QueueTrigger, TimerTrigger } from './function-definition.ts';
import type { QueueOptions } from './host-json.ts';
import { byHand, type Invoker } from './invocation.ts';
import type { HostLog } from './log.ts';
import { type Listener, listenToQueue, queueInput } from './queue-listener.ts';
import { hasConnection, openBlobs, openQueues } from './storage-connection.ts';
import { listenToTimer, type TimerLock, timerInput } from './timer-listener.ts';
import { parseSchedule, type Schedule } from './timer-schedule.ts';
import { createTimerStore, type TimerStore } from './timer-store.ts';

/** A timer or queue function, ready to listen and to be fired by hand. */
export interface OpenTrigger {
  readonly definition: FunctionDefinition;
  start(): Listener;
  fire(input: string): Promise<unknown>;
}

export interface TriggerParts {
  readonly hostId: string;
  readonly invoker: Invoker;
  readonly log: HostLog;
  readonly queues: QueueOptions;
  readonly queueLeaseSeconds: number;
  readonly timerLock: TimerLock;
  readonly abandoned: AbortSignal;
}

/**
 * Checks the schedules and connections of all timers and queues; nothing listens yet. A queue function whose connection
 * is missing or unusable, or a timer whose schedule cannot be read, is left out with an error in the log: the others run.
 */
export async function openTriggers(
  functions: readonly FunctionDefinition[],
  parts: TriggerParts,
): Promise<OpenTrigger[]> {
  const opened: OpenTrigger[] = [];
  let store: TimerStore | undefined;
  for (const definition of functions) {
    const { trigger } = definition;
    if (trigger.kind === 'queue') opened.push(...(await openQueue(definition, trigger, parts)));
    if (trigger.kind === 'timer') {
      store ??= await openTimerStore(definition.name, parts);
      opened.push(...openTimer(definition, trigger, store, parts));
    }
  }
  return opened;
}

/** Starts a function out of turn, in the background; `false` when there is no timer or queue function of that name. */
export function fireByHand(triggers: readonly OpenTrigger[], name: string, input: string, log: HostLog): boolean {
  const trigger = triggers.find(({ definition }) => definition.name.toLowerCase() === name.toLowerCase());
  trigger?.fire(input).catch((error) => log.host('error', `'${name}' could not be fired: ${error}`));
  return trigger !== undefined;
}

async function openTimerStore(functionName: string, { hostId, timerLock }: TriggerParts): Promise<TimerStore> {
  if (!hasConnection('', process.env)) {
    throw new Error(`Timer function "${functionName}" needs storage: set AzureWebJobsStorage to a connection string.`);
  }
  const blobs = await openBlobs('', process.env);
  return createTimerStore(blobs.getContainerClient('azure-webjobs-hosts'), hostId, timerLock.lockSeconds);
}

function openTimer(
  definition: FunctionDefinition,
  trigger: TimerTrigger,
  store: TimerStore,
  { invoker, log, timerLock }: TriggerParts,
): OpenTrigger[] {
  let schedule: Schedule;
  try {
    schedule = parseSchedule(trigger.schedule, `Function "${definition.name}"`);
  } catch (error) {
    leaveOut(definition, error, log);
    return [];
  }
  const opened: OpenTrigger = {
    definition,
    start: () => listenToTimer({ definition, trigger, schedule, store, invoker, log, ...timerLock }),
    async fire() {
      const status = trigger.useMonitor && !schedule.isSubMinute ? await store.readStatus(definition.name) : undefined;
      return invoker.invoke(definition, timerInput(status, false, byHand));
    },
  };
  return [opened];
}

function leaveOut({ name }: FunctionDefinition, error: unknown, log: HostLog): void {
  log.host('error', `The '${name}' function is in error and off: ${error}`);
}

async function openQueue(
  definition: FunctionDefinition,
  { queueName, connection }: QueueTrigger,
  { invoker, log, queues, queueLeaseSeconds, abandoned }: TriggerParts,
): Promise<OpenTrigger[]> {
  let service: QueueServiceClient;
  try {
    service = await openQueues(connection, process.env);
  } catch (error) {
    leaveOut(definition, error, log);
    return [];
  }
  const trigger: OpenTrigger = {
    definition,
    start: () =>
      listenToQueue({
        definition,
        queue: service.getQueueClient(queueName),
        poisonQueue: service.getQueueClient(`${queueName}-poison`),
        invoker,
        options: queues,
        leaseSeconds: queueLeaseSeconds,
        log,
        abandoned,
      }),
    fire: (input) => invoker.invoke(definition, queueInput(input, byHand)),
  };
  return [trigger];
}
