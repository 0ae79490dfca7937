import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { judgeDelivery, readRows } from '../../local/delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from '../../local/stack.ts';
import { finishedRun } from './run-watch.ts';

// Backup and restore on the real stack, in which emulator, storage and Functions host are processes of their own.

export interface RestoreTimes {
  readonly status: string;
  readonly seconds: number;
  /** The first pass of writing. */
  readonly writingSeconds: number;
  readonly secondsLostToThrottling: number;
}

export interface Delivery {
  readonly devicesExpected: number;
  /** Devices that got no broadcast afterwards, or not all of it. */
  readonly devicesLost: number;
  readonly devicesTwice: number;
}

const lostSchema = z.object({ secondsLostToThrottling: z.number() });

export async function backUp({ azurite, host }: Stack): Promise<void> {
  const { id } = await createApi(() => host).start('/api/backups');
  await finishedRun(azurite.connectionString, 'backup', id);
}

/** Restores the latest snapshot. */
export async function restore({ azurite, host }: Stack): Promise<RestoreTimes> {
  const api = createApi(() => host);
  const { id } = await api.start('/api/restores');
  const { run, seconds, parts } = await finishedRun(azurite.connectionString, 'restore', id);
  const { body } = await api.call('GET', `/api/restores/${id}`);
  const writingSeconds = parts['reconcile1'] ?? 0;
  return { status: run.status, seconds, writingSeconds, ...lostSchema.parse(body) };
}

/** Counts the devices that a broadcast through the target does not reach once. */
export async function countLost({ emulator }: Stack): Promise<Delivery> {
  await emulator.admin('POST', `${SECONDARY_HUB}/settle`);
  await emulator.admin('POST', `${SECONDARY_HUB}/clear-inboxes`);
  await emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'benchmark' });
  const rows = await readRows(emulator, PRIMARY_HUB);
  const { expected, never, moreThanOnce } = await judgeDelivery(emulator, SECONDARY_HUB, rows, []);
  return { devicesExpected: expected, devicesLost: never, devicesTwice: moreThanOnce };
}
