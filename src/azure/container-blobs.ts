import { createHash, randomUUID } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import type { BlobItem, BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { compareText } from '../core/bytes/search.ts';
import { DrError } from '../core/errors.ts';
import type { Blob, BlobEntry, BlobRange, Blobs } from '../core/ports.ts';
import { ifThere, needEtag } from './answers.ts';
import { type StorageLimits, storageLimits } from './connection.ts';
import { toFacts, toMetadata } from './facts.ts';
import { codeOf, statusOf, storageFault } from './fault.ts';
import { within } from './time-limit.ts';
import { tryAgain } from './try-again.ts';
import { uploadOnce } from './upload.ts';

export interface ContainerOptions {
  readonly limits?: StorageLimits;
  /** Called with the service's time as reads and listings tell it. */
  readonly onDate?: (date: Date) => void;
}

type BlobWork<T> = (blob: BlockBlobClient, signal: AbortSignal) => Promise<T>;
type Page = { readonly continuationToken?: string; readonly date?: Date };
type PageSettings = Pick<Page, 'continuationToken'> & { readonly maxPageSize: number };
type Listing<P> = { byPage(settings: PageSettings): AsyncIterator<P> };

/**
 * Blobs in one container of a storage account. What passes is tried again, by the SDK or by `tryAgain`; and so is a read
 * that breaks off or arrives changed, which the SDK gives up or does not notice. Throws `StorageUnavailable`: retryable after faults that
 * pass, not retryable when the account refuses us. A `put` that throws may have taken effect.
 */
export function containerBlobs(container: ContainerClient, options: ContainerOptions = {}): Blobs {
  const { limits = storageLimits, onDate = () => {} } = options;
  /** One call with its time limit; what the SDK throws becomes ours. */
  const call = async <T>(action: string, target: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await within(limits.callTimeoutMs, work);
    } catch (error) {
      throw storageFault(error, { service: 'blob', action, target });
    }
  };
  const patiently = <T>(signal: AbortSignal, work: () => Promise<T>) => tryAgain(limits, signal, work);
  const blobCall = <T>(action: string, name: string, work: BlobWork<T>) =>
    call(action, `blob '${name}'`, (signal) => work(container.getBlockBlobClient(name), signal));
  /** Pages until one has no continuation token; each is a call of its own, so that long listings have time. */
  const allPages = async <P extends Page>(what: string, list: (signal: AbortSignal) => Listing<P>): Promise<P[]> => {
    const pages: P[] = [];
    let from: { continuationToken?: string } | undefined = {};
    while (from !== undefined) {
      const settings: PageSettings = { maxPageSize: limits.listPageSize, ...from };
      const page: P | undefined = await call('list', what, (signal) =>
        patiently(signal, () => firstOf(list(signal).byPage(settings))),
      );
      if (page?.date !== undefined) onDate(page.date);
      if (page !== undefined) pages.push(page);
      from = page?.continuationToken ? { continuationToken: page.continuationToken } : undefined;
    }
    return pages;
  };
  /** Whether a listing has shown a folder as a blob: a hierarchical namespace does. */
  let hasFolders = false;
  const listItems = async (prefix: string) => {
    const pages = await allPages(`blobs '${prefix}*'`, (abortSignal) =>
      container.listBlobsFlat({ prefix, includeMetadata: true, abortSignal }),
    );
    const items = pages.flatMap(({ segment, date }) => segment.blobItems.map((item) => ({ item, date })));
    hasFolders ||= items.some(({ item }) => !isFile(item));
    return items;
  };
  const removeBlob = (name: string, etag?: string): Promise<void> =>
    blobCall('remove', name, (blob, signal) => patiently(signal, () => removeIf(blob, etag, signal)));
  return {
    get: (name, how) =>
      blobCall('read', name, async (blob, signal) => {
        const range = how === 'mayBeMissing' ? undefined : how;
        const read = () => patiently(signal, () => ifThere(download(blob, range, { limits, onDate }, signal)));
        // A document that is missing ends a run for good, so a 404 is believed only the second time.
        return (await read()) ?? (how === 'mayBeMissing' ? undefined : await read());
      }),
    put: async (name, bytes, condition, facts = {}) => {
      const metadata = toMetadata(facts, randomUUID());
      return blobCall('write', name, async (blob, signal) => {
        const upload = () => uploadOnce(blob, bytes, { condition, metadata, limits }, signal);
        try {
          return await upload();
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
          await patiently(signal, () => ensureContainer(container, onDate, signal));
          return await upload();
        }
      });
    },
    list: async (prefix) => {
      const files = (await listItems(prefix)).filter(({ item }) => isFile(item));
      return files.map(({ item, date }) => toEntry(item, date)).sort((a, b) => compareText(a.name, b.name));
    },
    listFolders: async (prefix) => {
      const pages = await allPages(`folders '${prefix}*'`, (abortSignal) =>
        container.listBlobsByHierarchy('/', { prefix, abortSignal }),
      );
      const folders = pages.flatMap((page) => page.segment.blobPrefixes ?? []);
      return folders.map((folder) => folder.name).sort(compareText);
    },
    remove: removeBlob,
    removeFolder: async (prefix) => {
      if (!hasFolders) return;
      const folders = (await listItems(prefix)).flatMap(({ item }) => (isFile(item) ? [] : [item.name]));
      // What lies in a folder comes after it by name, and has to go before.
      for (const name of [prefix.slice(0, -1), ...folders].sort(compareText).reverse()) await removeBlob(name);
    },
    ensure: () =>
      call('create', 'the snapshot container', (signal) =>
        patiently(signal, () => ensureContainer(container, onDate, signal)),
      ),
  };
}

async function download(
  blob: BlockBlobClient,
  range: BlobRange | undefined,
  { limits, onDate }: Required<ContainerOptions>,
  abortSignal: AbortSignal,
): Promise<Blob> {
  // The SDK takes a length of 0 for "to the end".
  if (range?.length === 0) return emptyRange(blob, abortSignal);
  const rangeGetContentMD5 = range !== undefined && range.length <= MAX_MD5_RANGE;
  // The SDK continues to read after an early end but not after a cut connection. So its re-reading is off, and the whole
  // is read again: never the rest of one version after the beginning of another.
  const options = { abortSignal, maxRetryRequests: 0, ...(rangeGetContentMD5 ? { rangeGetContentMD5 } : {}) };
  for (let tryCount = 1; ; tryCount += 1) {
    const answer = await ifThere(blob.download(range?.offset, range?.length, options), 416);
    if (answer === undefined) return emptyRange(blob, abortSignal);
    if (answer.date !== undefined) onDate(answer.date);
    const bytes = await readBody(answer.readableStreamBody, abortSignal);
    if (bytes !== undefined && isAsSent(bytes, answer.contentMD5)) {
      return { bytes, etag: needEtag(answer.etag), ageMs: ageOf(answer) };
    }
    if (tryCount < limits.retry.maxTries && !abortSignal.aborted) continue;
    const message = `Blob '${blob.name}' broke off or arrived changed each time it was read; trying again may help.`;
    throw new DrError('StorageUnavailable', message, { target: `blob '${blob.name}'`, retryable: true });
  }
}

/** The service gives the checksum of a range up to this size only (learn.microsoft.com, "Get Blob"). */
const MAX_MD5_RANGE = 4 * 1_024 * 1_024;

/** The SDK does not look at the checksum it gets. A longer range has none; its documents bring checksums of their own. */
function isAsSent(bytes: Uint8Array, contentMd5: Uint8Array | undefined): boolean {
  return contentMd5 === undefined || createHash('md5').update(bytes).digest().equals(contentMd5);
}

/** A range that begins at the end of the blob or behind it. */
async function emptyRange(blob: BlockBlobClient, abortSignal: AbortSignal): Promise<Blob> {
  const answer = await blob.getProperties({ abortSignal });
  return { bytes: new Uint8Array(), etag: needEtag(answer.etag), ageMs: ageOf(answer) };
}

/** `undefined` when the body broke off: nothing else can go wrong between the answer's head and its end. */
async function readBody(
  body: NodeJS.ReadableStream | undefined,
  abortSignal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (!(body instanceof Readable)) return undefined;
  try {
    const bytes = Buffer.concat(await addAbortSignal(abortSignal, body).toArray());
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch {
    return undefined;
  }
}

async function removeIf(blob: BlockBlobClient, etag: string | undefined, abortSignal: AbortSignal): Promise<void> {
  const conditions = etag === undefined ? {} : { ifMatch: etag };
  try {
    // Otherwise snapshots taken of the blob would forbid it.
    await blob.delete({ conditions, abortSignal, deleteSnapshots: 'include' });
  } catch (error) {
    // A folder of a hierarchical namespace in which there is something again stays.
    const isKept = codeOf(error) === 'ConditionNotMet' || codeOf(error) === 'DirectoryIsNotEmpty';
    if (statusOf(error) !== 404 && !isKept) throw error;
  }
}

/** A role that may write blobs but not make containers suffices when the container is there. */
async function ensureContainer(
  container: ContainerClient,
  onDate: (date: Date) => void,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    const { date } = await container.createIfNotExists({ abortSignal });
    // That of a container which is there already comes as text.
    if (date !== undefined) onDate(new Date(date));
  } catch (error) {
    if (statusOf(error) !== 403 || !(await container.exists({ abortSignal }))) throw error;
  }
}

async function firstOf<P>(pages: AsyncIterator<P>): Promise<P | undefined> {
  const first = await ifThere(pages.next());
  return first?.done === false ? first.value : undefined;
}

/** An account with hierarchical namespace lists its directories as blobs, too. */
function isFile(item: BlobItem): boolean {
  return item.metadata?.['hdi_isfolder'] !== 'true';
}

function toEntry({ name, metadata, properties }: BlobItem, date: Date | undefined): BlobEntry {
  const { lastModified } = properties;
  return {
    name,
    facts: toFacts(metadata),
    sizeBytes: properties.contentLength ?? 0,
    createdAt: properties.createdOn ?? lastModified,
    modifiedAt: lastModified,
    etag: toQuoted(properties.etag),
    ageMs: ageOf({ date, lastModified }),
    ...(properties.accessTier === 'Archive' ? { isArchived: true } : {}),
  };
}

/** A listing leaves out the quotes that other answers have. */
function toQuoted(etag: string): string {
  return etag.startsWith('"') || etag.startsWith('W/') ? etag : `"${etag}"`;
}

/** Both times are the service's own. */
function ageOf({ date, lastModified }: { readonly date?: Date | undefined; readonly lastModified?: Date }): number {
  if (date === undefined || lastModified === undefined) return 0;
  return Math.max(0, date.getTime() - lastModified.getTime());
}
