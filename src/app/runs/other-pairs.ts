import { fullNameOf, hubsOfPairFolder, PAIRS_FOLDER, pairFolder } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { pairBlobs } from '../stored/pair-blobs.ts';

/** Parts of the folder's name: namespace and hub of both. */
const PARTS = 4;

/** This app as it would be for each other pair of hubs that has stored something on the account. Its hubs are names only. */
export async function appsOfOtherPairs(app: App): Promise<readonly App[]> {
  const { primary, secondary, blobs } = app;
  let folders: readonly string[] = [PAIRS_FOLDER];
  for (let part = 0; part < PARTS; part += 1) {
    const found: string[] = [];
    for (const folder of folders) found.push(...(await blobs.listFolders(folder)));
    folders = found;
  }
  const own = pairFolder(primary.ref, secondary.ref);
  return folders.filter((folder) => folder !== own).map((folder) => appOfPair(app, hubsOfPairFolder(folder)));
}

/** What it changes there is for that app to notice. */
export function appOfPair(app: App, [one, other]: readonly [HubRef, HubRef]): App {
  const { primary, secondary, blobs } = app;
  return {
    ...app,
    primary: { ...primary, ref: one },
    secondary: { ...secondary, ref: other },
    blobs: pairBlobs(blobs, one, other),
    listeners: [],
  };
}

/** How messages name it. */
export function describePair({ primary, secondary }: App): string {
  return `the app for ${fullNameOf(primary.ref)} and ${fullNameOf(secondary.ref)}`;
}
