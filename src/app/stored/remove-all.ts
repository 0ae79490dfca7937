import type { App } from '../app.ts';
import { forEachConcurrent } from './concurrent.ts';

/** Blobs removed at once. */
const REMOVERS = 16;

/** Removes every blob whose name begins so. */
export async function removeAll({ blobs }: Pick<App, 'blobs'>, prefix: string): Promise<void> {
  await forEachConcurrent(await blobs.list(prefix), REMOVERS, ({ name }) => blobs.remove(name));
}
