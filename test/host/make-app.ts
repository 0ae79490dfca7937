import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MadeApp extends AsyncDisposable {
  readonly dir: string;
}

/** A CommonJS app of one file in a folder of its own; in `source`, `app` and `output` are the library's. */
export async function makeApp(
  source: string,
  files: {
    readonly hostJson?: object;
    readonly settings?: Readonly<Record<string, string>>;
    readonly main?: string;
  } = {},
): Promise<MadeApp> {
  const dir = await mkdtemp(join(tmpdir(), 'host-app-'));
  const library = createRequire(import.meta.url).resolve('@azure/functions');
  const write = (name: string, text: string) => writeFile(join(dir, name), text);
  await write('app.cjs', `const { app, output } = require(${JSON.stringify(library)});\n${source}\n`);
  await write('package.json', JSON.stringify({ name: 'made-app', main: files.main ?? 'app.cjs' }));
  await write('host.json', JSON.stringify({ version: '2.0', ...files.hostJson }));
  if (files.settings !== undefined) {
    await write('local.settings.json', JSON.stringify({ IsEncrypted: false, Values: files.settings }));
  }
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}
