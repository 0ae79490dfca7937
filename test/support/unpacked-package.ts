import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { buildPackage } from '../../local/build-package.ts';
import { zipFolder } from '../../local/zip.ts';

export interface UnpackedPackage extends AsyncDisposable {
  /** Outside the project: what is not in the zip cannot be found. */
  readonly folder: string;
  readonly zip: Uint8Array;
}

/** Builds the zip that is deployed, and unpacks it into an empty folder. */
export async function unpackPackage(): Promise<UnpackedPackage> {
  const parent = await mkdtemp(join(tmpdir(), 'package-'));
  const zip = await zipFolder((await buildPackage(join(parent, 'built'))).folder);
  await rm(join(parent, 'built'), { recursive: true });
  for (const [name, bytes] of Object.entries(unzipSync(zip))) {
    const path = join(parent, 'unpacked', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  return {
    folder: join(parent, 'unpacked'),
    zip,
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true }),
  };
}
