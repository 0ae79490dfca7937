import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A bug that the simulation must find, as a change to the built app. */
export interface Plant {
  readonly file: string;
  /** There exactly once. */
  readonly from: string;
  readonly to: string;
  /** By which the bug shows. */
  readonly kind: string;
  /** One that found it; after a change to the app it may be one of the next. */
  readonly seed: number;
}

export const plants: Readonly<Record<string, Plant>> = {
  'empty page ends a listing': {
    file: 'src/app/listing/scan.js',
    from: 'const isFinished = nextToken === undefined;',
    to: 'const isFinished = nextToken === undefined || page.rows.length === 0;',
    kind: 'snapshotDiffers',
    seed: 25,
  },
  'last page is left out': {
    file: 'src/app/listing/scan.js',
    from: 'const { nextToken } = page;',
    to: 'const { nextToken } = page; if (nextToken === undefined && at.pageCount > 0) page.rows.length = 0;',
    kind: 'snapshotDiffers',
    seed: 8,
  },
  'a quiet run is not enqueued again': {
    file: 'src/app/watchdog.js',
    from: 'await dispatch(app, run);',
    to: '',
    kind: 'stuck',
    seed: 3,
  },
};

/** A copy of the build with the bug in it, made once for each build; gives its folder. */
export async function plant(dist: string, { file, from, to }: Plant, folder: string): Promise<string> {
  const target = join(folder, basename(dirname(dist)), 'dist');
  await rm(dirname(target), { recursive: true, force: true });
  const aside = `${dirname(target)}.${process.pid}`;
  await mkdir(aside, { recursive: true });
  await cp(dist, join(aside, 'dist'), { recursive: true });
  const text = await readFile(join(aside, 'dist', file), 'utf8');
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} holds what is to be replaced ${parts.length - 1} times: ${from}`);
  await writeFile(join(aside, 'dist', file), parts.join(to));
  await rename(aside, dirname(target));
  return target;
}
