import { registerHooks } from 'node:module';
import { isPlantName, plants } from './planted/plants.ts';

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

/** The URL of a module in a copy of the app with that bug. Its imports are of the same copy; no file is written. */
export function plantedUrl(url: URL, bug: string): string {
  return `${url.href}${PLANTED}${encodeURIComponent(bug)}`;
}

registerHooks({
  resolve(specifier, context, next) {
    const [importer = '', copy] = (context.parentURL ?? '').split(PLANTED);
    const real = next(specifier, context);
    const isOfCopy = copy !== undefined && real.url.includes('/dist/src/') && !real.url.includes(PLANTED);
    const url = isOfCopy ? `${real.url}${PLANTED}${copy}` : real.url;
    const found = replaced.find((one) => one.specifier === specifier && importer.endsWith(one.importer));
    if (found === undefined) return { ...real, url };
    return { url: `${found.by.href}?${url}`, format: 'module-typescript', shortCircuit: true };
  },
  load(url, context, next) {
    const loaded = next(url, context);
    const [file = '', copy] = url.split(PLANTED);
    const name = decodeURIComponent(copy ?? '');
    if (!isPlantName(name) || !file.endsWith(`/dist/src/${plants[name].file}`)) return loaded;
    return { ...loaded, source: withBug(name, String(loaded.source)) };
  },
});

function withBug(name: keyof typeof plants, text: string): string {
  const { file, from, to } = plants[name];
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} holds what '${name}' replaces ${parts.length - 1} times: ${from}`);
  return parts.join(to);
}
