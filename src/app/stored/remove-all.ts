import type { App } from '../app.ts';
import { forEachConcurrent } from './concurrent.ts';

/** Blobs removed at once. */
const REMOVERS = 16;

/** Removes every blob of a folder, of those named last one after another, and then the folder. */
export async function removeAll(
  { blobs }: Pick<App, 'blobs'>,
  folder: string,
  last: readonly string[] = [],
): Promise<void> {
  const others = (await blobs.list(folder)).filter(({ name }) => !last.includes(name));
  await forEachConcurrent(others, REMOVERS, ({ name }) => blobs.remove(name));
  for (const name of last) await blobs.remove(name);
  await blobs.removeFolder(folder);
}

/** Removes the blobs of a folder whose names sort before that one: names begin with their time. */
export async function removeBefore({ blobs }: Pick<App, 'blobs'>, folder: string, name: string): Promise<void> {
  for (const old of await blobs.list(folder)) if (old.name < name) await blobs.remove(old.name);
}
