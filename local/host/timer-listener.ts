import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionDefinition, TimerTrigger } from './function-definition.ts';
import type { InvocationInput, Invoker } from './invocation.ts';
import type { HostLog } from './log.ts';
import type { Listener } from './queue-listener.ts';
import { checkPastDue, never, type Schedule, type ScheduleStatus } from './timer-schedule.ts';
import { isLeaseLost, type TimerLease, type TimerStore } from './timer-store.ts';

/** As the real host has it; a test may have less. */
export interface TimerLock {
  /** How long a dead host keeps its timers, 15 to 60: a host renews its lock at half of it. */
  readonly lockSeconds: number;
  /** How often a host looks whether a timer that another one runs has become free. */
  readonly pollSeconds: number;
}

export const realTimerLock: TimerLock = { lockSeconds: 60, pollSeconds: 60 };

export interface TimerListenerOptions extends TimerLock {
  readonly definition: FunctionDefinition;
  readonly trigger: TimerTrigger;
  readonly schedule: Schedule;
  readonly store: TimerStore;
  readonly invoker: Invoker;
  readonly log: HostLog;
}

const retryRenewalMs = 5_000;
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
  const { definition, store, log, pollSeconds } = options;
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
    await pause(pollSeconds * 1000, stopping);
  }
}

async function runWhileLeased(
  options: TimerListenerOptions,
  lease: TimerLease,
  stopping: AbortSignal,
  isFirst: boolean,
): Promise<void> {
  const { definition, log, lockSeconds } = options;
  const ended = new AbortController();
  const lost = new AbortController();
  const renewing = renew(lease, lockSeconds * 1000, AbortSignal.any([ended.signal, lost.signal]), (error) => {
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

async function renew(
  lease: TimerLease,
  lockMs: number,
  ended: AbortSignal,
  onLost: (error: unknown) => void,
): Promise<void> {
  let renewedAt = Date.now();
  let waitMs = lockMs / 2;
  while (true) {
    await pause(waitMs, ended);
    if (ended.aborted) return;
    try {
      await lease.renew();
      renewedAt = Date.now();
      waitMs = lockMs / 2;
    } catch (error) {
      if (isLeaseLost(error) || Date.now() - renewedAt > lockMs) return onLost(error);
      waitMs = retryRenewalMs;
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
