import { storageLimits } from '../../src/azure/connection.ts';
import type { Blobs } from '../../src/core/ports.ts';

/** Blobs that count what a storage account would be asked: a listing by its pages, a 404 that is asked twice as two. */
export function countingBlobs(blobs: Blobs): { readonly blobs: Blobs; readonly requestCount: () => number } {
  let requestCount = 0;
  const pagesOf = (entries: number): number => Math.max(1, Math.ceil(entries / storageLimits.listPageSize));
  const counted: Blobs = {
    get: async (name, how) => {
      const blob = await blobs.get(name, how);
      requestCount += blob === undefined && how !== 'mayBeMissing' ? 2 : 1;
      return blob;
    },
    put: (...args) => {
      requestCount += 1;
      return blobs.put(...args);
    },
    list: async (prefix) => {
      const entries = await blobs.list(prefix);
      requestCount += pagesOf(entries.length);
      return entries;
    },
    listFolders: async (prefix) => {
      const folders = await blobs.listFolders(prefix);
      requestCount += pagesOf(folders.length);
      return folders;
    },
    remove: (...args) => {
      requestCount += 1;
      return blobs.remove(...args);
    },
    removeFolder: (prefix) => blobs.removeFolder(prefix),
    ensure: () => {
      requestCount += 1;
      return blobs.ensure();
    },
  };
  return { blobs: counted, requestCount: () => requestCount };
}
