import { createHash, randomUUID } from 'node:crypto';
import { DefaultAzureCredential } from '@azure/identity';
import {
  BlobServiceClient,
  type ContainerClient,
  RestError,
  type StoragePipelineOptions,
  StorageRetryPolicyType,
} from '@azure/storage-blob';
import { DrError } from '../core/errors.ts';
import type { Blob, Blobs, PutCondition } from '../core/ports.ts';
import type { StorageConnection } from '../core/storage-connection.ts';

/** The SDK's retries are the only ones on storage calls: four tries, and no lost request may eat a step's budget. */
const pipeline: StoragePipelineOptions = {
  retryOptions: {
    retryPolicyType: StorageRetryPolicyType.EXPONENTIAL,
    maxTries: 4,
    tryTimeoutInMs: 60_000,
    retryDelayInMs: 300,
    maxRetryDelayInMs: 10_000,
  },
};

/** Beside each blob: tells our own write, retried after its answer was lost, from a rival's. */
const NONCE = 'nonce';

/** Named blobs on Azure Blob Storage, in one container. */
export function createAzureBlobs(connection: StorageConnection, container: string): Blobs {
  const client = serviceClient(connection).getContainerClient(container);
  const ensure = () => guard('create the container', container, async () => void (await client.createIfNotExists()));

  const put = async (name: string, bytes: Uint8Array, condition: PutCondition, facts: Record<string, string>) => {
    const nonce = randomUUID();
    const blob = client.getBlockBlobClient(name);
    try {
      const response = await blob.upload(bytes, bytes.length, {
        conditions: toConditions(condition),
        metadata: { ...facts, [NONCE]: nonce },
        blobHTTPHeaders: { blobContentType: contentType(name), blobContentMD5: md5(bytes) },
      });
      return response.etag ?? '';
    } catch (error) {
      if (!isStatus(error, 409, 412)) throw error;
      return (await ownWrite(client, name, nonce)) ?? 'conflict';
    }
  };

  return {
    ensure,
    get: (name, range) => guard('read', name, () => read(client, name, range)),
    put: (name, bytes, condition, facts = {}) =>
      guard('write', name, async () => {
        try {
          return await put(name, bytes, condition, { ...facts });
        } catch (error) {
          if (!isContainerMissing(error)) throw error;
          await ensure();
          return await put(name, bytes, condition, { ...facts });
        }
      }),
    list: (prefix) =>
      guard(
        'list',
        prefix,
        async () => {
          const entries = [];
          for await (const item of client.listBlobsFlat({ prefix, includeMetadata: true })) {
            const { [NONCE]: _, ...facts } = item.metadata ?? {};
            const modifiedAt = item.properties.lastModified;
            const createdAt = item.properties.createdOn ?? modifiedAt;
            entries.push({
              name: item.name,
              facts,
              sizeBytes: item.properties.contentLength ?? 0,
              createdAt,
              modifiedAt,
            });
          }
          return entries;
        },
        [],
      ),
    listFolders: (prefix) =>
      guard(
        'list',
        prefix,
        async () => {
          const names = [];
          for await (const item of client.listBlobsByHierarchy('/', { prefix })) {
            if (item.kind === 'prefix') names.push(item.name);
          }
          return names;
        },
        [],
      ),
    remove: (name, etag) =>
      guard('remove', name, async () => {
        try {
          await client.deleteBlob(name, etag === undefined ? {} : { conditions: { ifMatch: etag } });
        } catch (error) {
          if (!isStatus(error, 404, 412)) throw error;
        }
      }),
  };
}

function serviceClient(connection: StorageConnection): BlobServiceClient {
  if (connection.kind === 'connectionString') {
    return BlobServiceClient.fromConnectionString(connection.value, pipeline);
  }
  const { clientId } = connection;
  const credential = new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
  return new BlobServiceClient(connection.blobServiceUri, credential, pipeline);
}

async function read(
  client: ContainerClient,
  name: string,
  range: { offset: number; length: number } | undefined,
): Promise<Blob | undefined> {
  if (range?.length === 0) return { bytes: new Uint8Array(), etag: '' };
  try {
    const response = await client.getBlobClient(name).download(range?.offset ?? 0, range?.length);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.readableStreamBody ?? []) {
      chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    }
    return { bytes: Buffer.concat(chunks), etag: response.etag ?? '' };
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** The ETag of the blob when the write that made it was ours. */
async function ownWrite(client: ContainerClient, name: string, nonce: string): Promise<string | undefined> {
  try {
    const properties = await client.getBlobClient(name).getProperties();
    return properties.metadata?.[NONCE] === nonce ? properties.etag : undefined;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

function toConditions(condition: PutCondition) {
  if (condition === 'any') return {};
  return condition === 'new' ? { ifNoneMatch: '*' } : { ifMatch: condition.etag };
}

function md5(bytes: Uint8Array): Uint8Array {
  return createHash('md5').update(bytes).digest();
}

function contentType(name: string): string {
  if (name.endsWith('.json')) return 'application/json';
  return name.endsWith('.gz') ? 'application/gzip' : 'application/octet-stream';
}

/** Translates what the SDK throws. A missing container reads as `whenMissing`, where one is given. */
async function guard<T>(verb: string, name: string, act: () => Promise<T>, whenMissing?: T): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (whenMissing !== undefined && isContainerMissing(error)) return whenMissing;
    if (error instanceof DrError) throw error;
    const status = error instanceof RestError ? error.statusCode : undefined;
    const seen = error instanceof RestError ? (error.code ?? `status ${status}`) : errorName(error);
    const isRefused = status === 401 || status === 403;
    const hint = isRefused
      ? 'Give the app the roles Storage Blob Data Contributor and Storage Queue Data Contributor, or a valid key, and let it through the firewall.'
      : 'It is tried again; look at the storage account when this goes on.';
    throw new DrError('StorageUnavailable', `Could not ${verb} '${name}' in the snapshot storage (${seen}). ${hint}`, {
      retryable: !isRefused,
      target: name,
    });
  }
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown fault';
}

function isStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof RestError && error.statusCode !== undefined && statuses.includes(error.statusCode);
}

function isContainerMissing(error: unknown): boolean {
  return error instanceof RestError && error.code === 'ContainerNotFound';
}
