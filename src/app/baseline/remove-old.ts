import { DrError, orFault } from '../../core/errors.ts';
import type { App } from '../app.ts';
import { readRoles } from '../runs/roles.ts';
import { orLeave } from '../stored/refusals.ts';
import { removeAll } from '../stored/remove-all.ts';

/**
 * Removes the baselines in the folder but those of these runs, and of the one that brought the hub in use into use: by
 * that the devices are known that have registered since. Where the role cannot be read, the next run does it.
 */
export async function removeOldBaselines(
  app: App,
  folder: string,
  kept: readonly (string | undefined)[],
): Promise<void> {
  const roles = await orFault(readRoles(app));
  if (roles instanceof DrError) return;
  const all = [...kept, roles.role.history.at(-1)?.runId];
  for (const name of await app.blobs.listFolders(folder)) {
    if (!all.includes(name.slice(folder.length, -1))) await orLeave(app, () => removeAll(app, name));
  }
}
