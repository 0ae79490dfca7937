import { BlobClient, ContainerClient } from '@azure/storage-blob';
import { DrError } from '../core/errors.ts';
import type { FeedbackFile, FeedbackFiles } from '../core/ports.ts';
import { type StorageLimits, storageLimits } from './connection.ts';
import { statusOf, storageFault } from './fault.ts';
import { within } from './time-limit.ts';
import { tryAgain } from './try-again.ts';

const TARGET = 'the feedback of a hub';

/** The account is the service's, and so is its fault. Never the address, which holds a SAS. */
function asHubs(fault: unknown, action: string, status: number | undefined): unknown {
  if (!(fault instanceof DrError)) return fault;
  const { retryable, seen } = fault;
  const came = status === undefined ? (seen ?? 'no answer') : `status ${status}`;
  const message = `Could not ${action} ${TARGET}: ${came}. The hub gave the address: try again later, and if this persists, ask the service's support.`;
  return new DrError(retryable ? 'HubUnavailable' : 'HubMisbehaves', message, { target: TARGET, retryable });
}

/** Reads what hubs keep of push services' answers, by addresses that carry their own permission. */
export function createFeedbackFiles(limits: StorageLimits = storageLimits): FeedbackFiles {
  const { retry: retryOptions } = limits;
  const call = async <T>(action: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await within(limits.callTimeoutMs, (signal) => tryAgain(limits, signal, () => work(signal)));
    } catch (error) {
      throw asHubs(storageFault(error, { service: 'blob', action, target: TARGET }), action, statusOf(error));
    }
  };
  return {
    list: (address) =>
      call('list', async (abortSignal) => {
        const files: FeedbackFile[] = [];
        const container = new ContainerClient(address, undefined, { retryOptions });
        for await (const { name, properties } of container.listBlobsFlat({ abortSignal })) {
          const { contentLength = 0, etag = '' } = properties;
          files.push({ name, sizeBytes: contentLength, etag });
        }
        return files;
      }),
    read: (address, name, { offset, length }) =>
      call('read', async (abortSignal) => {
        const blob =
          name === undefined
            ? new BlobClient(address, undefined, { retryOptions })
            : new ContainerClient(address, undefined, { retryOptions }).getBlobClient(name);
        try {
          const { readableStreamBody = [] } = await blob.download(offset, length, { abortSignal });
          const parts: Buffer[] = [];
          for await (const part of readableStreamBody) parts.push(Buffer.from(part));
          return Buffer.concat(parts);
        } catch (error) {
          // Nothing is there from that place on.
          if (statusOf(error) === 416) return new Uint8Array(0);
          throw error;
        }
      }),
  };
}
