import { glob, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectRegistrations } from './host/core-module.ts';

/**
 * Loads the app in the folder given as argument, as the local host does, in a process that has loaded nothing else,
 * and sends how many milliseconds after the start of the process all functions were registered.
 */
const folder = process.argv[2] ?? '.';
const { main }: { main: string } = JSON.parse(await readFile(resolve(folder, 'package.json'), 'utf8'));
const files: string[] = [];
for await (const file of glob(main, { cwd: folder })) files.push(file);
const { functions } = await collectRegistrations(
  () => {},
  async () => {
    for (const file of files.sort()) await import(pathToFileURL(resolve(folder, file)).href);
  },
);
process.send?.({ milliseconds: performance.now(), functionNames: [...functions.keys()].sort() });
