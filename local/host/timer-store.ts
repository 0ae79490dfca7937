import { type ContainerClient, RestError } from '@azure/storage-blob';
import { z } from 'zod';
import type { ScheduleStatus } from './timer-schedule.ts';

/** Where the hosts of one app agree on their timers: container `azure-webjobs-hosts`, laid out as the real host does. */
export interface TimerStore {
  readStatus(functionName: string): Promise<ScheduleStatus | undefined>;
  writeStatus(functionName: string, status: ScheduleStatus): Promise<void>;
  /** Makes this host the one that runs the timer; `undefined` while another is. */
  acquire(functionName: string): Promise<TimerLease | undefined>;
}

export interface TimerLease {
  /** Rejects when the lease is lost or storage cannot be reached; {@link isLeaseLost} tells which. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

/** A killed host's timers are taken over once its lock, a lease of `lockSeconds`, has ended. */
export function createTimerStore(container: ContainerClient, hostId: string, lockSeconds: number): TimerStore {
  const blobOf = (name: string) => container.getBlockBlobClient(`timers/${hostId}/Host.Functions.${name}/status`);
  return {
    async readStatus(functionName) {
      try {
        return statusSchema.parse(JSON.parse((await blobOf(functionName).downloadToBuffer()).toString()));
      } catch (error) {
        if (hasStatus(error, 404)) return undefined;
        throw error;
      }
    },
    async writeStatus(functionName, { last, next, lastUpdated }) {
      const text = JSON.stringify({ Last: last, Next: next, LastUpdated: lastUpdated });
      await blobOf(functionName).upload(text, Buffer.byteLength(text));
    },
    async acquire(functionName) {
      await container.createIfNotExists();
      const lock = container.getBlockBlobClient(`locks/${hostId}/Host.Functions.${functionName}.Listener`);
      const lease = lock.getBlobLeaseClient();
      try {
        if (!(await lock.exists())) await lock.upload('', 0, { conditions: { ifNoneMatch: '*' } });
        await lease.acquireLease(lockSeconds);
      } catch (error) {
        if (hasStatus(error, 409) || hasStatus(error, 412)) return undefined;
        throw error;
      }
      return {
        renew: async () => void (await lease.renewLease()),
        release: async () => void (await lease.releaseLease()),
      };
    },
  };
}

export function isLeaseLost(error: unknown): boolean {
  return hasStatus(error, 409) || hasStatus(error, 412) || hasStatus(error, 404);
}

const statusSchema = z
  .object({ Last: z.coerce.date(), Next: z.coerce.date(), LastUpdated: z.coerce.date() })
  .transform(({ Last, Next, LastUpdated }) => ({ last: Last, next: Next, lastUpdated: LastUpdated }));

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof RestError && error.statusCode === status;
}
