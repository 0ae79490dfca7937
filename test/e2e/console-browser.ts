import axe from 'axe-core';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Every request of the page, as `GET http://…`. */
  readonly requests: string[];
  /** Errors in the console, exceptions, and violations of the content security policy. */
  readonly faults: string[];
}

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

/** A tab in its own profile that records its requests and faults. */
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
    // The browser logs each answer of 400 and above, and each call while offline, though the page handles them.
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

/** All rules; only what a test prints of a fault is worked out. */
const axeOptions = JSON.stringify({ resultTypes: ['violations'], selectors: false });

/** Fails when axe finds any fault in the current view, however minor; the failure says what and where. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // Over the debugging connection: the page's own policy would not let a script in.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe.source);
  const { violations, passes } = axeResults.parse(await page.evaluate(`axe.run(document, ${axeOptions})`));
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

/** Moves to the control of this name with the Tab key, as a person without a mouse does. */
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

/** Makes every poll of the page due now, as a returning network does. */
export async function refresh(page: Page): Promise<void> {
  await page.evaluate('dispatchEvent(new Event("online"))');
}

/** Waits for what comes with one of the page's polls. Their pauses (up to 15 s) are right for people and long for a test. */
export async function appears(locator: Locator): Promise<void> {
  const seen = async () => {
    await refresh(locator.page());
    return await locator.isVisible();
  };
  await expect.poll(seen, { interval: 250, timeout: 60_000 }).toBe(true);
}

/** The figure for all platforms in a row of the table of counts. */
export async function countsOf(page: Page, line: string): Promise<number> {
  const cell = page.getByRole('row', { name: line }).getByRole('cell').first();
  return Number((await cell.innerText()).replaceAll(',', ''));
}

/** Every figure in a row of the table of counts: all platforms first, then each one. */
export async function figuresOf(page: Page, line: string): Promise<number[]> {
  const cells = await page.getByRole('row', { name: line }).getByRole('cell').allInnerTexts();
  return cells.map((text) => Number(text.replaceAll(',', '')));
}

/** The sum of each column above the last row. */
export async function columnSums(page: Page): Promise<number[]> {
  const rows = await page.locator('.counts tbody tr').all();
  const cells = await Promise.all(rows.map((row) => row.getByRole('cell').allInnerTexts()));
  return (cells[0] ?? []).map((_, column) =>
    cells.reduce((sum, row) => sum + Number((row[column] ?? '').replaceAll(',', '')), 0),
  );
}
