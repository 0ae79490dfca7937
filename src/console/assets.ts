import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join, sep } from 'node:path';

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
  /** Changes with the content. */
  readonly etag: string;
}

/** `path` is relative to the console's folder, with slashes. `undefined` for a path that is not part of the page. */
export async function readAsset(path = ''): Promise<Asset | undefined> {
  assets ??= readAssets();
  return (await assets).get(path === '' ? 'index.html' : path);
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

let assets: Promise<ReadonlyMap<string, Asset>> | undefined;

/** The browser gets these files unbuilt, so they stay in `src/console`. */
async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const folder = join(findAppFolder(), 'src', 'console');
  const found = new Map<string, Asset>();
  for (const path of await readdir(folder, { recursive: true })) {
    const contentType = contentTypes[extname(path)];
    if (contentType === undefined) continue;
    found.set(path.split(sep).join('/'), await fileAsAsset(join(folder, path), contentType));
  }
  return found;
}

export async function fileAsAsset(path: string, contentType: string): Promise<Asset> {
  const body = await readFile(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { contentType, body, etag };
}

/** The folder with `host.json`, wherever this module runs from: the source, `dist` or a bundle. */
export function findAppFolder(): string {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'host.json')) && dirname(root) !== root) root = dirname(root);
  return root;
}
