import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startBrowser } from '../../local/chromium.ts';
import { expectAccessible, expectNoSideScroll, openTab, type Watched } from '../e2e/console-browser.ts';
import { type Served, serveFunctions } from './served.ts';
import { secondary } from './stage.ts';
import { type State, states } from './states.ts';

const sizes = [
  { width: 1280, height: 900 },
  { width: 768, height: 1024 },
  { width: 390, height: 844 },
] as const;
const schemes = ['light', 'dark'] as const;
const secondaryName = `${secondary.namespace}/${secondary.hub}`;
const narrowest = { width: 320, height: 640 };
/** Where pictures of all that is walked are put; none where it is not set. */
const pictures = process.env['CONSOLE_PICTURES'];

let served: Served;
let tab: Watched;
const closing = new AsyncDisposableStack();

beforeAll(async () => {
  served = closing.use(await serveFunctions());
  const browser = closing.use(await startBrowser());
  tab = await openTab(browser, { ...sizes[0], colorScheme: 'light' });
  await tab.page.clock.install();
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
  const { app } = await states.empty();
  served.use(app);
  await tab.page.goto(`${served.url}/api/console#/restore`);
  await tab.page.getByLabel('Key', { exact: true }).waitFor();
  await look(tab.page, 'key');
  await tab.page.getByLabel('Key', { exact: true }).fill(served.key);
  await tab.page.getByRole('button', { name: 'Continue' }).click();
});
afterAll(() => closing.disposeAsync());

/** A view of another app, in the same tab. */
async function open(page: Page, { app, now, hash, shows }: State): Promise<void> {
  served.use(app);
  await page.clock.setFixedTime(now());
  await page.goto(`${served.url}/api/console#/leave`);
  await page.goto(`${served.url}/api/console#${hash}`);
  for (const text of shows) await page.locator('main').getByText(text).filter({ visible: true }).first().waitFor();
  await page
    .getByText(/^Loading/)
    .first()
    .waitFor({ state: 'hidden' });
}

/** Side scroll everywhere; what axe finds on a desk by day and on a phone by night, or everywhere where time is left. */
async function look(page: Page, name: string): Promise<void> {
  for (const [at, size] of sizes.entries()) {
    await page.setViewportSize(size);
    for (const colorScheme of schemes) {
      const what = `${name}-${size.width}-${colorScheme}`;
      const isUsual = (at === 0 && colorScheme === 'light') || (at === 2 && colorScheme === 'dark');
      await page.emulateMedia({ colorScheme });
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${what}.png`), fullPage: true });
      if (isUsual || inject('isSoak')) await expectAccessible(page, what);
    }
    await expectNoSideScroll(page, `${name}-${size.width}`);
  }
  await page.setViewportSize(narrowest);
  await expectNoSideScroll(page, `${name}-${narrowest.width}`);
  await page.setViewportSize(sizes[0]);
}

test.each(Object.keys(states) as (keyof typeof states)[])('%s: accessible, and as wide as its screen', async (name) => {
  await open(tab.page, await states[name]());
  await look(tab.page, name);
  expect(tab.faults.splice(0)).toEqual([]);
});

test('what a page opens on request is accessible, too', async () => {
  const { page } = tab;
  const press = (name: string | RegExp) => page.getByRole('button', { name }).click();
  await open(page, await states.dryRun());
  await page.getByLabel(/^Type the hub’s name/).press('Enter');
  await page.getByText(`Type ${secondaryName}.`).waitFor();
  await page.locator('summary').first().click();
  await press('Show them');
  await page.locator('.records li').first().waitFor();
  await look(page, 'dryRunOpened');

  await open(page, await states.failed());
  await press('Show the failed devices');
  await page.getByText('the hub refused it, answered with 400').first().waitFor();
  await look(page, 'failuresOpened');

  await open(page, await states.running());
  await press('Stop …');
  await page.getByRole('dialog', { name: 'Stop this run?' }).waitFor();
  await look(page, 'stopAsked');
  await page.keyboard.press('Escape');

  await open(page, await states.finished());
  await press('Roll back …');
  const rollBack = page.getByRole('dialog').getByRole('button', { name: 'Roll back' });
  expect(await rollBack.isDisabled()).toBe(true);
  await page.getByLabel(/^Type the hub’s name/).fill(secondaryName);
  expect(await rollBack.isDisabled()).toBe(false);
  await look(page, 'rollbackAsked');
  await page.keyboard.press('Escape');

  await open(page, {
    ...(await states.ready()),
    hash: '/restores/nothing',
    shows: ['This restore could not be read.'],
  });
  await look(page, 'unknownRestore');
  expect(tab.faults.splice(0)).toEqual([]);
});

test('the overview shows what is asked of it: history, checks, a snapshot, the hub in use', async () => {
  const { page } = tab;
  const press = (name: string | RegExp) => page.getByRole('button', { name }).click();
  await open(page, await states.overviewAfterRetry());
  await press('Send a test alert');
  await page.locator('main').getByText('The webhook took the alert').waitFor();
  await press('Compare the hubs’ settings');
  await page.locator('main').getByText('No difference in what could be compared.').waitFor();
  await press('Check the deployment');
  await page
    .locator('main')
    .getByText(/found something wrong\.$|^All that could be checked is right/)
    .waitFor();
  for (const what of ['backups', 'restores', 'verifications', 'changes people asked for'])
    await press(`Show the ${what}`);
  await page.getByText(/ send a test alert: done/).waitFor();
  const history = await page.getByRole('region', { name: 'History' }).innerText();
  expect(history).not.toMatch(/\/api\/|POST/);
  expect(history).toMatch(/^Retry /m);
  await page.locator('summary').first().click();
  await page.getByRole('link', { name: 'Restore this one …' }).waitFor();
  await look(page, 'overviewOpened');
  await press(`${secondaryName} is in use …`);
  await page.getByRole('dialog', { name: 'Which hub is in use?' }).waitFor();
  await look(page, 'roleAsked');
  await page.keyboard.press('Escape');
  expect(tab.faults.splice(0)).toEqual([]);
});

test('when the app is dead the page says since when, and nothing that it cannot know', async () => {
  const { page } = tab;
  await open(page, await states.running());
  await page.getByText('You may close this page').waitFor();
  await served.die();
  const banner = page.locator('#connection');
  await banner
    .getByText(/^The app does not answer\. What you see is of \d\d:\d\d:\d\d; what has become of it/)
    .waitFor();
  await expect.poll(() => page.getByText('You may close this page').isVisible()).toBe(false);
  expect(await page.locator('body').innerText()).not.toMatch(/without this page|close this page|continues/);
  await page.clock.setFixedTime((await page.evaluate<number>('Date.now()')) + 120_000);
  await banner.getByText('docs/RUNBOOK.md').waitFor();
  await look(page, 'appDead');
  expect(tab.faults.splice(0)).toEqual([]);
});
