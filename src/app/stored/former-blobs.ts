import {
  ALERTS_FOLDER,
  alertsFolder,
  DRILLS_FOLDER,
  isNameOfPair,
  isRunName,
  LOCKS_FOLDER,
  lockName,
  PACE_NAME,
  runFolderOf,
  runKinds,
  runsFolder,
} from '../../core/paths.ts';
import type { Blob, Blobs, HubRef } from '../../core/ports.ts';

/** A process looks this often for locks that an earlier version, which may still run beside it, took meanwhile. */
const MAX_LOOKS = 30;

/**
 * Blobs of a pair, and what earlier versions stored outside of its folder: their runs stay where they are, and what is
 * small and changes moves into the folder when a process first looks. Where there is nothing of earlier versions this
 * costs a process one request.
 */
export function withFormer(container: Blobs, own: Blobs, hubs: readonly HubRef[]): Blobs {
  /** Folders of the runs that are outside. */
  const runs = new Set<string>();
  let looks = 0;
  let found: Promise<boolean> | undefined;
  const adopt = async (prefix: string): Promise<void> => {
    for (const { name, facts } of await container.list(prefix)) {
      const blob = isOfHubs(name, hubs) ? await container.get(name, 'mayBeMissing') : undefined;
      if (blob === undefined) continue;
      await own.put(name, blob.bytes, 'new', facts);
      await container.remove(name, blob.etag);
    }
  };
  const look = async (): Promise<boolean> => {
    if (!(await container.listFolders('')).some(isNameOfPair)) return false;
    for (const kind of runKinds) for (const run of await container.listFolders(runsFolder(kind))) runs.add(run);
    for (const prefix of [LOCKS_FOLDER, ALERTS_FOLDER, DRILLS_FOLDER, PACE_NAME]) await adopt(prefix);
    return true;
  };
  const hasFormer = (): Promise<boolean> => {
    found ??= look().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  const homeOf = async (name: string): Promise<Blobs> =>
    isNameOfPair(name) && (await hasFormer()) && runs.has(runFolderOf(name) ?? '') ? container : own;
  /** An earlier version may have begun it after the look. */
  const findRun = async (name: string): Promise<Blob | undefined> => {
    const blob = isRunName(name) && (await hasFormer()) ? await container.get(name, 'mayBeMissing') : undefined;
    if (blob !== undefined) runs.add(runFolderOf(name) ?? '');
    return blob;
  };
  return {
    get: async (name, how) => (await (await homeOf(name)).get(name, how)) ?? findRun(name),
    put: async (name, ...args) => (await homeOf(name)).put(name, ...args),
    list: async (prefix) => {
      const home = await homeOf(prefix);
      if (prefix === LOCKS_FOLDER && (await hasFormer()) && looks < MAX_LOOKS) {
        looks += 1;
        await adopt(prefix);
      }
      return home.list(prefix);
    },
    listFolders: async (prefix) => {
      const home = await homeOf(prefix);
      const names = await home.listFolders(prefix);
      if (home !== own || !runKinds.some((kind) => prefix === runsFolder(kind))) return names;
      return [...new Set([...names, ...[...runs].filter((name) => name.startsWith(prefix))])].sort();
    },
    remove: async (name, etag) => (await homeOf(name)).remove(name, etag),
    removeFolder: async (prefix) => (await homeOf(prefix)).removeFolder(prefix),
    ensure: () => container.ensure(),
  };
}

/** Whether it may be of the app with these hubs. Drills and the pace do not say whose they are. */
function isOfHubs(name: string, hubs: readonly HubRef[]): boolean {
  if (name.startsWith(LOCKS_FOLDER)) return hubs.some((hub) => runKinds.some((kind) => name === lockName(kind, hub)));
  return !name.startsWith(ALERTS_FOLDER) || hubs.some((hub) => name.startsWith(alertsFolder(hub)));
}
