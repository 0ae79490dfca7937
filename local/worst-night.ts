import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createApi } from './api.ts';
import { judgeDelivery, readRows, type Verdict } from './delivery.ts';
import { backUp, describeBackup, type RehearsalOptions } from './rehearsal.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from './stack.ts';

/** The result of a failover while a backup of the dead primary is in flight. */
export interface NightReport {
  /** From the call to the first request that writes to the secondary. */
  readonly firstWriteSeconds: number;
  readonly restoreSeconds: number;
  readonly devices: Verdict;
  readonly verdict: 'pass' | 'fail';
}

export interface NightOptions extends RehearsalOptions {
  /** What the secondary takes; no limit when absent. */
  readonly writesPerSecond?: number;
  /** Without it, nothing but the restore happens: to compare with. */
  readonly isCalm?: boolean;
}

/** A backup that waits for a dead primary must not hold up what the night is about. */
const FIRST_WRITE_WITHIN_SECONDS = 10;

/**
 * A backup is in flight when the region of the primary dies, and the empty secondary takes few writes a second. The
 * backup waits for its hub; the restore has slots of its own and begins at once.
 */
export async function rehearseWorstNight(stack: Stack, options: NightOptions): Promise<NightReport> {
  const { say, writesPerSecond = 0, isCalm = false, patienceMs = 0 } = options;
  const { emulator } = stack;
  const api = createApi(() => stack.host, patienceMs);
  say(`1  backup   ${describeBackup(await backUp(stack, api))}`);
  const rows = await readRows(emulator, PRIMARY_HUB);
  await emulator.admin('POST', `${SECONDARY_HUB}/switches`, { requestsPerSecond: writesPerSecond });
  if (!isCalm) {
    await emulator.admin('POST', '/namespaces/primary/latency', { latencyMs: 1000 });
    const inFlight = await api.start('/api/backups');
    while ((await api.read('backup', inFlight.id)).status === 'NotStarted') await sleep(100);
    await emulator.admin('POST', '/namespaces/primary/down');
    say(`2  the primary region fails while backup ${inFlight.id} is in flight`);
    // What it has in hand by now would hold every slot of a queue that all runs share.
    await sleep(SETTLED_MS);
  }
  const calledAt = Date.now();
  const { id } = await api.start('/api/restores');
  const firstWriteSeconds = await secondsUntilWrite(stack, calledAt);
  const restored = await api.finished('restore', id, { timeoutMs: 3_600_000 });
  const restoreSeconds = (Date.now() - calledAt) / 1000;
  say(`3  first write after ${firstWriteSeconds} s; restore ${restored.status} after ${restoreSeconds.toFixed(1)} s`);
  if (restored.error !== undefined) say(`   ${restored.error.code}: ${restored.error.message}`);
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'drill' });
  const devices = await judgeDelivery(emulator, SECONDARY_HUB, rows, []);
  say(`4  broadcast: ${devices.once} of ${devices.expected} devices got it exactly once, ${devices.never} never`);
  const isPass =
    restored.status === 'Succeeded' &&
    devices.once === devices.expected &&
    devices.never + devices.moreThanOnce + devices.unexpected === 0 &&
    firstWriteSeconds <= FIRST_WRITE_WITHIN_SECONDS;
  return { firstWriteSeconds, restoreSeconds, devices, verdict: isPass ? 'pass' : 'fail' };
}

const SETTLED_MS = 3000;

const statsSchema = z.object({ registrations: z.number(), pendingInstallationWrites: z.number() });

/** Polls what the secondary holds, which was empty. */
async function secondsUntilWrite({ emulator }: Stack, calledAt: number): Promise<number> {
  for (;;) {
    const answer = await emulator.admin('GET', `${SECONDARY_HUB}/stats`);
    const { registrations, pendingInstallationWrites } = statsSchema.parse(answer);
    const seconds = (Date.now() - calledAt) / 1000;
    if (registrations + pendingInstallationWrites > 0 || seconds > GIVE_UP_SECONDS)
      return Math.round(seconds * 10) / 10;
    await sleep(100);
  }
}

const GIVE_UP_SECONDS = 900;
