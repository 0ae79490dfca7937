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
