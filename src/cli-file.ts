import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Asset, fileAsAsset, findAppFolder } from './console/assets.ts';

export const cliFileName = 'notification-hubs-dr.mjs';

let asset: Promise<Asset> | undefined;

/** The terminal tool as one file that runs with plain Node. It lies beside what is deployed, or in `dist`. */
export function readCliFile(): Promise<Asset> {
  const folder = findAppFolder();
  const [deployed, built] = [join(folder, cliFileName), join(folder, 'dist', cliFileName)];
  asset ??= fileAsAsset(existsSync(deployed) ? deployed : built, 'text/javascript; charset=utf-8');
  return asset;
}
