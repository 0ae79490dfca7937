import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';

/** A real Chromium. Throws where there is none: a console that nobody looked at is not tested. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findChromium() });
}

function findChromium(): string {
  const told = process.env['CHROMIUM_PATH'];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
  const candidates = told === undefined ? names.flatMap((name) => folders.map((folder) => join(folder, name))) : [told];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new Error(
    told === undefined
      ? 'The tests of the console need Chromium: install the package chromium, or set CHROMIUM_PATH.'
      : `CHROMIUM_PATH names ${told}, which does not exist.`,
  );
}

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Everything the page asked for, as `GET http://…`. */
  readonly requests: string[];
  /** Errors in the console, exceptions, and violations of the content security policy. */
  readonly faults: string[];
}

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

/** A tab in a profile of its own, which notes what it asks for and what goes wrong in it. */
export async function openTab(browser: Browser, { width, height, colorScheme }: Screen): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Vienna',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const requests: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    // The browser reports each answer of 400 and more, and each call while offline, though the page deals with them.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() !== 'log' && !isAnswer) faults.push(`console: ${message.text()}`);
  });
  await page.addInitScript({
    content: `addEventListener('securitypolicyviolation', (event) =>
      console.error('policy violated: ' + event.violatedDirective + ' ' + event.blockedURI));`,
  });
  return { context, page, requests, faults };
}

const axeResults = z.object({
  violations: z.array(
    z.object({ id: z.string(), impact: z.string().nullish(), nodes: z.array(z.object({ html: z.string() })) }),
  ),
  passes: z.array(z.object({ id: z.string() })),
});

/** Fails with what is wrong and where when axe finds any fault, a slight one included, in what the page shows now. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // Over the debugger's line: the page's own policy would not let a script in.
  await page.evaluate(axe.source);
  const { violations, passes } = axeResults.parse(await page.evaluate('axe.run(document)'));
  const found = violations.map(
    ({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(' | ')}`,
  );
  expect(found, `axe: ${what}`).toEqual([]);
  expect(passes.length, `axe looked: ${what}`).toBeGreaterThan(10);
}

/** Fails when the page is wider than the screen. */
export async function expectNoSideScroll(page: Page, what: string): Promise<void> {
  const widths = z
    .object({ content: z.number(), screen: z.number() })
    .parse(await page.evaluate('({ content: document.documentElement.scrollWidth, screen: innerWidth })'));
  expect(widths.content, `width: ${what}`).toBeLessThanOrEqual(widths.screen);
}

/** Goes with the Tab key to the control of this name, as someone without a mouse does. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const wanted = page
    .getByRole('button', { name })
    .or(page.getByRole('link', { name }))
    .or(page.getByLabel(name))
    .first();
  await wanted.waitFor();
  for (let presses = 0; presses < 60; presses++) {
    if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The Tab key does not reach ${name}.`);
}

/** The figure for all platforms in a line of the table of counts. */
export async function countsOf(page: Page, line: string): Promise<number> {
  const cell = page.getByRole('row', { name: line }).getByRole('cell').first();
  return Number((await cell.innerText()).replaceAll(',', ''));
}

/** Every figure of a line of the table of counts: all platforms first, then each. */
export async function figuresOf(page: Page, line: string): Promise<number[]> {
  const cells = await page.getByRole('row', { name: line }).getByRole('cell').allInnerTexts();
  return cells.map((text) => Number(text.replaceAll(',', '')));
}

/** What the lines above the last one add up to, by column. */
export async function columnSums(page: Page): Promise<number[]> {
  const rows = await page.locator('.counts tbody tr').all();
  const lines = await Promise.all(rows.map((row) => row.getByRole('cell').allInnerTexts()));
  return (lines[0] ?? []).map((_, column) =>
    lines.reduce((sum, line) => sum + Number((line[column] ?? '').replaceAll(',', '')), 0),
  );
}
