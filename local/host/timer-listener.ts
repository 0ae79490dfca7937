import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionDefinition, TimerTrigger } from './function-definition.ts';
import type { InvocationInput, Invoker } from './invocation.ts';
import type { HostLog } from './log.ts';
import type { Listener } from './queue-listener.ts';
import { checkPastDue, never, type Schedule, type ScheduleStatus } from './timer-schedule.ts';
import { isLeaseLost, type TimerLease, type TimerStore, timerLeaseSeconds } from './timer-store.ts';

export interface TimerListenerOptions {
  readonly definition: FunctionDefinition;
  readonly trigger: TimerTrigger;
  readonly schedule: Schedule;
  readonly store: TimerStore;
  readonly invoker: Invoker;
  readonly log: HostLog;
}

const renewIntervalMs = 5_000;
const acquireIntervalMs = 2_000;
/** `setTimeout` cannot wait longer than 2^31-1 ms. */
const maxWaitMs = 24 * 60 * 60 * 1000;

/** Runs one timer while this host holds its lease, one invocation at a time; a failed one is not tried again. */
export function listenToTimer(options: TimerListenerOptions): Listener {
  const stopping = new AbortController();
  const loop = listen(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

/** The trigger data of a timer, for its schedule or for a call by hand. */
export function timerInput(status: ScheduleStatus | undefined, isPastDue: boolean, reason: string): InvocationInput {
  const stored =
    status === undefined ? null : { Last: status.last, Next: status.next, LastUpdated: status.lastUpdated };
  return {
    data: { json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: stored, IsPastDue: isPastDue }) },
    reason,
  };
}

async function listen(options: TimerListenerOptions, stopping: AbortSignal): Promise<void> {
  const { definition, store, log } = options;
  let isFirst = true;
  while (!stopping.aborted) {
    try {
      const lease = await store.acquire(definition.name);
      if (lease !== undefined) {
        await runWhileLeased(options, lease, stopping, isFirst);
        isFirst = false;
      }
    } catch (error) {
      log.host('warning', `Timer '${definition.name}': storage cannot be reached, will try again: ${error}`);
    }
    await pause(acquireIntervalMs, stopping);
  }
}

async function runWhileLeased(
  options: TimerListenerOptions,
  lease: TimerLease,
  stopping: AbortSignal,
  isFirst: boolean,
): Promise<void> {
  const { definition, log } = options;
  const ended = new AbortController();
  const lost = new AbortController();
  const renewing = renew(lease, AbortSignal.any([ended.signal, lost.signal]), (error) => {
    log.host('warning', `Timer '${definition.name}': its lease is lost, another host may run it: ${error}`);
    lost.abort();
  });
  try {
    await runSchedule(options, AbortSignal.any([stopping, lost.signal]), isFirst);
  } finally {
    ended.abort();
    await renewing;
    if (!lost.signal.aborted) await lease.release();
  }
}

async function renew(lease: TimerLease, ended: AbortSignal, onLost: (error: unknown) => void): Promise<void> {
  let renewedAt = Date.now();
  while (true) {
    await pause(renewIntervalMs, ended);
    if (ended.aborted) return;
    try {
      await lease.renew();
      renewedAt = Date.now();
    } catch (error) {
      if (isLeaseLost(error) || Date.now() - renewedAt > timerLeaseSeconds * 1000) return onLost(error);
    }
  }
}

/** The real host's `TimerListener`: past due or start-up first, then occurrence after occurrence. */
async function runSchedule(options: TimerListenerOptions, ended: AbortSignal, isFirst: boolean): Promise<void> {
  const { definition, trigger, schedule, store, invoker, log } = options;
  const isMonitored = trigger.useMonitor && !schedule.isSubMinute;
  const now = new Date();
  let status: ScheduleStatus = { last: never, next: schedule.next(now), lastUpdated: never };
  let isPastDue = false;
  if (isMonitored) {
    const stored = await store.readStatus(definition.name);
    ({ status, isPastDue } = checkPastDue(schedule, stored, now));
    if (status !== stored) await store.writeStatus(definition.name, status);
  }
  const fire = async (reason: string) => {
    const startedAt = new Date();
    await invoker.invoke(definition, timerInput(isMonitored ? status : undefined, isPastDue, reason));
    status = { last: startedAt, next: schedule.next(startedAt), lastUpdated: startedAt };
    isPastDue = false;
    if (!isMonitored) return;
    await store.writeStatus(definition.name, status).catch((error) => {
      log.host('warning', `Timer '${definition.name}': its status could not be stored: ${error}`);
    });
  };
  if (isPastDue) await fire('Timer fired late: an occurrence was missed.');
  else if (trigger.runOnStartup && isFirst) await fire('Timer fired at startup.');
  while (!ended.aborted) {
    await pause(Math.min(status.next.getTime() - Date.now(), maxWaitMs), ended);
    if (!ended.aborted && Date.now() >= status.next.getTime()) {
      await fire(`Timer fired at ${new Date().toISOString()}`);
    }
  }
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(durationMs, 0), undefined, { signal }).catch(() => {});
}
