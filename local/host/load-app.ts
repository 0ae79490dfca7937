import { glob, readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { collectRegistrations, type Registrations } from './core-module.ts';
import type { ProgrammingModel } from './core-types.ts';
import { type FunctionDefinition, readDefinitions } from './function-definition.ts';
import type { HostLog } from './log.ts';

export interface LoadedApp {
  readonly name: string;
  readonly functions: readonly FunctionDefinition[];
  readonly hooks: Registrations['hooks'];
  readonly model: ProgrammingModel;
}

/**
 * Imports the files that `main` of the app's `package.json` names. The real worker would report "no functions" and
 * success for an app that throws or registers nothing; here both are errors, with the app's own stack as cause.
 */
export async function loadApp(appDir: string, env: NodeJS.ProcessEnv, log: HostLog): Promise<LoadedApp> {
  const { name, main } = await readPackage(appDir);
  const files = await findEntryFiles(appDir, main);
  const registrations = await collectRegistrations(
    (level, message) => log.host(level, message),
    async () => {
      for (const file of files) await importEntry(file);
    },
  );
  const { model, hooks } = registrations;
  if (model === undefined || registrations.functions.size === 0) {
    throw new Error(`The app registers no function. "main" is "${main}", which loaded: ${files.join(', ')}.`);
  }
  const capabilities = await model.getCapabilities({});
  if (capabilities['HttpUri'] !== undefined) {
    throw new Error('This host has no HTTP streaming: remove app.setup({ enableHttpStream: true }).');
  }
  return { name, functions: readDefinitions(registrations, env), hooks, model };
}

const packageSchema = z.object({ name: z.string().default('app'), main: z.string() });

async function readPackage(appDir: string): Promise<{ readonly name: string; readonly main: string }> {
  const path = join(appDir, 'package.json');
  try {
    return packageSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new Error(`"${path}" must exist and have "main": the entry file of the app or a glob.`, { cause });
  }
}

/**
 * Their real paths, each folder looked up once: a build that is swapped meanwhile must not give some files of the one
 * before and some of its own.
 */
async function findEntryFiles(appDir: string, main: string): Promise<string[]> {
  const files: string[] = [];
  const folders = new Map<string, string>();
  for await (const file of glob(main, { cwd: appDir })) {
    const folder = dirname(resolve(appDir, file));
    const real = folders.get(folder) ?? (await realpath(folder));
    folders.set(folder, real);
    files.push(join(real, basename(file)));
  }
  if (files.length === 0) {
    throw new Error(`"main" of package.json is "${main}", and no file in "${appDir}" matches. Is the app built?`);
  }
  return files.sort();
}

let importCount = 0;

/** A second load in one process runs the entry files again; the modules they import stay as they are. */
async function importEntry(path: string): Promise<void> {
  Reflect.deleteProperty(createRequire(path).cache, path);
  importCount++;
  try {
    await import(`${pathToFileURL(path).href}?load=${importCount}`);
  } catch (cause) {
    throw new Error(`The app failed to load: "${basename(path)}" threw.`, { cause });
  }
}
