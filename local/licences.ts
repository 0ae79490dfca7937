import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { z } from 'zod';

/** A package of which something is in a bundle. */
export interface BundledPackage {
  /** Relative to the project. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string().default('see its site') });

/** In the order of their folders. */
export async function packagesOf(root: string, metafile: Metafile): Promise<BundledPackage[]> {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(used.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  const read = [...folders].sort().map(async (folder) => {
    const text = await readFile(join(root, folder, 'package.json'), 'utf8');
    return { folder, ...packageSchema.parse(JSON.parse(text)) };
  });
  return Promise.all(read);
}

/** The licence texts of every package of which something is in the bundle; empty where there is none. */
export async function noticesOf(root: string, metafile: Metafile): Promise<string> {
  const notices: string[] = [];
  for (const { folder, name, version, license } of await packagesOf(root, metafile)) {
    const files = (await readdir(join(root, folder))).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const texts = await Promise.all(files.sort().map((file) => readFile(join(root, folder, file), 'utf8')));
    notices.push([`${name} ${version} (${license})`, ...texts].join('\n\n'));
  }
  return notices.length === 0 ? '' : `${notices.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
