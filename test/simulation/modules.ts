import { registerHooks } from 'node:module';
import { importersOf } from './planted/importers.ts';
import { type Change, withChange } from './planted/plants.ts';

/** A module that one of the app's imports, and what it gets instead: what costs most, or differs with the version of Node. */
const replaced = [
  { importer: '/src/app/stored/codec.js', specifier: 'node:zlib', by: new URL('./plain-frames.ts', import.meta.url) },
  {
    importer: '/src/app/stored/document.js',
    specifier: './opener.js',
    by: new URL('./remembered-documents.ts', import.meta.url),
  },
];

/** Behind the URL of a module of a copy of the app with a known bug, and before the bug's name. */
const PLANTED = '?planted=';

interface Copy {
  readonly changes: readonly Change[];
  /** As their paths below `dist/src`, the modules that it has of its own; it shares all others. */
  readonly modules: ReadonlySet<string>;
}

/** By bug. */
const copies = new Map<string, Copy>();

/** From then on `plantedUrl` gives the modules of a copy of the build with that bug. */
export async function prepareCopy(root: URL, bug: string, changes: readonly Change[]): Promise<void> {
  copies.set(bug, { changes, modules: await importersOf(root, new Set(changes.map(({ file }) => file))) });
}

/** The URL of a module in a copy of the app with that bug. Its imports are of the same copy; no file is written. */
export function plantedUrl(url: string, bug: string): string {
  const path = url.split('/dist/src/')[1] ?? '';
  return copies.get(bug)?.modules.has(path) === true ? `${url}${PLANTED}${encodeURIComponent(bug)}` : url;
}

function changesOf(bug: string): readonly Change[] {
  return copies.get(bug)?.changes ?? [];
}

registerHooks({
  resolve(specifier, context, next) {
    const [importer = '', copy] = (context.parentURL ?? '').split(PLANTED);
    const real = next(specifier, context);
    const url = copy === undefined ? real.url : plantedUrl(real.url, decodeURIComponent(copy));
    const found = replaced.find((one) => one.specifier === specifier && importer.endsWith(one.importer));
    if (found === undefined) return { ...real, url };
    return { url: `${found.by.href}?${url}`, format: 'module-typescript', shortCircuit: true };
  },
  load(url, context, next) {
    const loaded = next(url, context);
    const [file = '', copy] = url.split(PLANTED);
    const own = changesOf(decodeURIComponent(copy ?? '')).filter((change) => file.endsWith(`/dist/src/${change.file}`));
    if (own.length === 0) return loaded;
    return { ...loaded, source: own.reduce((text, change) => withChange(change, text), String(loaded.source)) };
  },
});
