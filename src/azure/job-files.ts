import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
} from '@azure/storage-blob';
import { DrError } from '../core/errors.ts';
import type { Blobs, JobFile, JobFiles } from '../core/ports.ts';
import { createAzureBlobs } from './blobs.ts';
import { type StorageConnection, type StorageLimits, storageLimits } from './connection.ts';
import { credentialOf } from './credential.ts';
import { statusOf, storageFault } from './fault.ts';
import { within } from './time-limit.ts';
import { tryAgain } from './try-again.ts';

export interface JobFilesOptions {
  readonly connection: StorageConnection;
  readonly limits?: StorageLimits;
}

/** All containers of jobs begin so. */
const PREFIXES = ['dr-export-', 'dr-import-'];
/** What a job needs of its container, as documented: read, write, list. */
const RIGHTS = ContainerSASPermissions.parse('rwl');
/** And of the file it is to read. */
const TO_READ = BlobSASPermissions.parse('r');
/** The service's clock may be behind this one's. */
const KEY_STARTS_BEFORE_MS = 900_000;

/** Containers of bulk jobs, each with an address of its own that ends by itself or with the container. */
export function createJobFiles({ connection, limits = storageLimits }: JobFilesOptions): JobFiles {
  const service = openService(connection, limits);
  const isByKey = connection.kind === 'connectionString';
  /** Of the last job. */
  let reader: { readonly container: string; readonly blobs: Blobs } | undefined;
  const call = async <T>(action: string, target: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await within(limits.callTimeoutMs, (signal) => tryAgain(limits, signal, () => work(signal)));
    } catch (error) {
      throw storageFault(error, { service: 'blob', action, target: `container '${target}'` });
    }
  };
  return {
    open: (name, forMs) =>
      call('make', name, async (abortSignal) => {
        const container = service.getContainerClient(name);
        await container.createIfNotExists({ abortSignal });
        return addressOf(service, container, { isByKey, forMs, abortSignal });
      }),
    address: (name, file, forMs) =>
      call('sign', name, (abortSignal) =>
        addressOf(service, service.getContainerClient(name), { isByKey, forMs, abortSignal, file }),
      ),
    write: (name, file, bytes) =>
      call('write', name, async (abortSignal) => {
        const blob = service.getContainerClient(name).getBlockBlobClient(file);
        await blob.uploadData(bytes, { abortSignal });
      }),
    find: (name, title, known) =>
      call('list', name, async (abortSignal) => {
        const files: JobFile[] = [];
        for await (const item of service.getContainerClient(name).listBlobsFlat({ abortSignal })) {
          files.push({ name: item.name, sizeBytes: item.properties.contentLength ?? 0 });
        }
        const isTitled = (file: JobFile): boolean => file.name === title || file.name.endsWith(`/${title}`);
        return files.find((file) => file.name === known) ?? files.find(isTitled);
      }),
    async read(name, file, range) {
      if (reader?.container !== name) {
        reader = { container: name, blobs: createAzureBlobs({ connection, container: name, limits }) };
      }
      const blob = await reader.blobs.get(file, range);
      if (blob !== undefined) return blob.bytes;
      const message = `Blob '${file}' of a bulk job is gone.`;
      throw new DrError('StorageUnavailable', message, { target: `container '${name}'` });
    },
    remove: (name) => call('remove', name, (signal) => removeContainer(service.getContainerClient(name), signal)),
    removeBefore: (atMs) =>
      call('list', `${PREFIXES[0]}*`, async (abortSignal) => {
        for (const prefix of PREFIXES) {
          for await (const { name, properties } of service.listContainers({ prefix, abortSignal })) {
            if (properties.lastModified.getTime() >= atMs) continue;
            await removeContainer(service.getContainerClient(name), abortSignal);
          }
        }
      }),
  };
}

function openService(connection: StorageConnection, { retry: retryOptions }: StorageLimits): BlobServiceClient {
  if (connection.kind === 'connectionString') {
    return BlobServiceClient.fromConnectionString(connection.value, { retryOptions });
  }
  return new BlobServiceClient(connection.blobServiceUri, credentialOf(connection.clientId), { retryOptions });
}

interface Grant {
  readonly isByKey: boolean;
  readonly forMs: number;
  readonly abortSignal: AbortSignal;
  /** To be read; else all of the container is granted that a job needs. */
  readonly file?: string;
}

/** With an identity the address is signed by a key that the account gives it for that. */
async function addressOf(service: BlobServiceClient, container: ContainerClient, grant: Grant): Promise<string> {
  const expiresOn = new Date(Date.now() + grant.forMs);
  const { isByKey, file, abortSignal } = grant;
  const blob = file === undefined ? undefined : container.getBlobClient(file);
  if (isByKey) {
    if (blob !== undefined) return blob.generateSasUrl({ permissions: TO_READ, expiresOn });
    return container.generateSasUrl({ permissions: RIGHTS, expiresOn });
  }
  const startsOn = new Date(Date.now() - KEY_STARTS_BEFORE_MS);
  const key = await service.getUserDelegationKey(startsOn, expiresOn, { abortSignal });
  const { containerName } = container;
  const signed =
    file === undefined
      ? { containerName, permissions: RIGHTS, expiresOn }
      : { containerName, blobName: file, permissions: TO_READ, expiresOn };
  return `${(blob ?? container).url}?${generateBlobSASQueryParameters(signed, key, service.accountName)}`;
}

async function removeContainer(container: ContainerClient, abortSignal: AbortSignal): Promise<void> {
  try {
    await container.delete({ abortSignal });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
