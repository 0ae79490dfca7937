import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** A real Chromium, for the console's tests and its screenshot. Throws when there is none. */
export async function startBrowser(): Promise<Browser> {
  // Without a graphics card Chromium would emulate one, on the cores the tests need.
  const args = ['--disable-gpu', '--disable-software-rasterizer'];
  return await chromium.launch({ executablePath: findChromium(), args });
}

function findChromium(): string {
  const named = process.env['CHROMIUM_PATH'];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  const candidates =
    named === undefined ? names.flatMap((name) => folders.map((folder) => join(folder, name))) : [named];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new Error(
    named === undefined
      ? 'The console is opened in Chromium: install the package chromium, or set CHROMIUM_PATH.'
      : `CHROMIUM_PATH names ${named}, which does not exist.`,
  );
}
