import { isNameOfPair, pairFolder } from '../../core/paths.ts';
import type { Blobs, HubRef } from '../../core/ports.ts';

/**
 * The blobs as the app of one pair of hubs sees them. What belongs to the pair lies in its folder, so that apps of other
 * pairs do not see it; what belongs to a hub is for all.
 */
export function pairBlobs(container: Blobs, one: HubRef, other: HubRef): Blobs {
  const folder = pairFolder(one, other);
  const inside = (name: string): string => (isNameOfPair(name) ? `${folder}${name.slice(1)}` : name);
  const outside = (name: string): string => `_${name.slice(folder.length)}`;
  return {
    get: (name, how) => container.get(inside(name), how),
    put: (name, ...args) => container.put(inside(name), ...args),
    list: async (prefix) => {
      const entries = await container.list(inside(prefix));
      return isNameOfPair(prefix) ? entries.map((entry) => ({ ...entry, name: outside(entry.name) })) : entries;
    },
    listFolders: async (prefix) => {
      const names = await container.listFolders(inside(prefix));
      return isNameOfPair(prefix) ? names.map(outside) : names;
    },
    remove: (name, etag) => container.remove(inside(name), etag),
    removeFolder: (prefix) => container.removeFolder(inside(prefix)),
    ensure: () => container.ensure(),
  };
}
