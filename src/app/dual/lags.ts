import { LAGS_FOLDER } from '../../core/paths.ts';
import type { App } from '../app.ts';

/** How many writes of backends wait for a hub, as each folder's repair last saw it. `undefined`: none. */
export async function readLags({ blobs }: Pick<App, 'blobs'>) {
  const lags = await blobs.list(LAGS_FOLDER);
  if (lags.length === 0) return undefined;
  const sumOf = (name: string): number => lags.reduce((sum, { facts }) => sum + Number(facts[name] ?? 0), 0);
  const oldest = lags.flatMap(({ facts }) => facts['oldest'] ?? []).sort()[0];
  const waiting = { waiting: sumOf('waiting'), refused: sumOf('refused') };
  return oldest === undefined ? waiting : { ...waiting, oldestAt: oldest };
}
