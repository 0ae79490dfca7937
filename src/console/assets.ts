import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
  /** Changes with the content. */
  readonly etag: string;
}

/** The page is `index.html`; every other name is a file beside it. `undefined` for a name that is not part of it. */
export async function readAsset(name = 'index.html'): Promise<Asset | undefined> {
  assets ??= readAssets();
  return (await assets).get(name);
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

let assets: Promise<ReadonlyMap<string, Asset>> | undefined;

async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const folder = findFolder();
  const found = new Map<string, Asset>();
  for (const name of await readdir(folder)) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const body = await readFile(join(folder, name));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    found.set(name, { contentType, body, etag });
  }
  return found;
}

/**
 * The page's files are served as they are written, so they stay in `src/console` of the app's root (where `host.json`
 * is), wherever the code that asks for them ends up: beside them, compiled in `dist`, or in a bundle.
 */
function findFolder(): string {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'host.json')) && dirname(root) !== root) root = dirname(root);
  return join(root, 'src', 'console');
}
