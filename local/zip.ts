import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** Zips a folder, so that equal files give equal bytes on every machine: sorted, of one date, compressed without zlib. */
export async function zipFolder(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const files: Zippable = {};
  for (const path of paths.sort())
    files[relative(folder, path).split(sep).join('/')] = [await readFile(path), readable];
  return zipSync(files, { level: 9, mtime: firstDate });
}

/** Zip has no time zone: fflate stores the local reading of the date, so it is made from one. */
const firstDate = new Date(1980, 0, 1);

/** Made on Unix, a regular file, rw-r--r--. Without it some programs unpack files without any right to read them. */
const readable = { os: 3, attrs: (0o100644 << 16) >>> 0 } as const;
