import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { startBrowser } from '../../local/chromium.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import {
  columnSums,
  expectAccessible,
  expectNoSideScroll,
  figuresOf,
  openTab,
  tabTo,
  type Watched,
} from '../e2e/console-browser.ts';
import { type Served, serveFunctions } from './served.ts';
import { aReadyStage, later, secondary } from './stage.ts';
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

let looks = 0;

/**
 * Side scroll at every size. What axe finds: in all that time is left for, or by turns on a desk by day and on a phone by
 * night, which have all the styles there are.
 */
async function look(page: Page, name: string): Promise<void> {
  const isDesk = looks++ % 2 === 0;
  for (const [at, size] of sizes.entries()) {
    await page.setViewportSize(size);
    await expectNoSideScroll(page, `${name}-${size.width}`);
    for (const colorScheme of schemes) {
      const what = `${name}-${size.width}-${colorScheme}`;
      const isDue = isDesk ? at === 0 && colorScheme === 'light' : at === 2 && colorScheme === 'dark';
      if (!isDue && !inject('isSoak') && pictures === undefined) continue;
      await page.emulateMedia({ colorScheme });
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${what}.png`), fullPage: true });
      if (isDue || inject('isSoak')) await expectAccessible(page, what);
    }
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
  await press('Show each of them');
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

test('a restore that switches nothing asks for no switch, and one that is yet to appear does so without a reload', async () => {
  const { page } = tab;
  await open(page, await states.finished());
  const said = await page.getByRole('region', { name: 'Proof' }).innerText();
  expect(said).toContain(`press “Fail over to ${secondaryName} …” on the overview`);
  expect(said).not.toMatch(/back ?end at|Declare|Point/);

  const { engine } = await aReadyStage();
  const { app } = engine;
  const id = 'by-hand-1';
  await open(page, { app, now: app.world.now, hash: `/restores/${id}`, shows: [/^If it is just being started/] });
  await startRestore(app, parseRestoreRequest('{}'), { id });
  await page.evaluate("window.dispatchEvent(new Event('online'))");
  await page.getByRole('progressbar', { name: 'Records done' }).waitFor();
  expect(await page.getByText('This restore could not be read.').count()).toBe(0);
  tab.faults.splice(0);
});

test('a step that failed is marked as that, and a list calls the run what its page does', async () => {
  const { page } = tab;
  await open(page, await states.failed());
  const steps = page.getByRole('list', { name: 'Steps of a restore' });
  await steps.getByText('(failed)').waitFor({ state: 'attached' });
  expect(await steps.locator('.failed').innerText()).toContain('Restore');
  await open(page, await states.overviewAfterFailure());
  await page.getByRole('region', { name: 'Restores' }).getByText('Incomplete', { exact: true }).waitFor();
  expect(tab.faults.splice(0)).toEqual([]);
});

test('the table of a rollback adds up, platform by platform', async () => {
  await open(tab.page, await states.rollback());
  const sums = await columnSums(tab.page);
  expect(sums[0]).toBeGreaterThan(100);
  expect(await figuresOf(tab.page, 'Written by that restore')).toEqual(sums);
  await tab.page.getByRole('button', { name: 'Restore another snapshot …' }).click();
  await tab.page.getByRole('heading', { name: 'Choose what to restore' }).waitFor();
});

test('a list without entries says so', async () => {
  await open(tab.page, await states.empty());
  await tab.page.getByRole('button', { name: 'Show the drills' }).click();
  await tab.page.locator('.asked').getByText('None yet.').waitFor();
});

test('a whole restore by keyboard alone, as a screen reader tells it', async () => {
  const { page } = tab;
  const { keyboard } = page;
  const stage = await aReadyStage();
  await open(page, { app: stage.engine.app, now: stage.engine.app.world.now, hash: '/', shows: ['Ready'] });
  await page.evaluate(`{
    window.said = [];
    const announcer = document.getElementById('announcer');
    new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, { childList: true });
  }`);
  const tree = () => page.locator('body').ariaSnapshot();
  const press = async (name: string) => {
    await tabTo(page, name);
    await keyboard.press('Enter');
  };
  const work = async (seconds = 5) => {
    await later(stage, seconds);
    await page.clock.setFixedTime(stage.engine.app.world.now());
  };
  const first = await tree();
  expect(first).toMatch(/term: Backed up\s+- definition: contoso-push-westeurope\/devices/);
  expect(first).toMatch(/term: Would be restored into\s+- definition: contoso-push-northeurope\/devices/);

  await press('Restore …');
  await page.getByRole('heading', { level: 1, name: 'Choose what to restore' }).waitFor();
  await tabTo(page, 'Start the dry run');
  const choice = await tree();
  expect(choice).toMatch(/heading "Choose what to restore" \[active\]|heading "Choose what to restore" \[level=1\]/);
  expect(choice).toContain('list "Steps of a restore"');
  expect(choice).toContain('group "Target hub"');
  expect(choice).toMatch(/radio "contoso-push-northeurope\/devices the standby \(secondary\).+" \[checked\]/);
  await keyboard.press('Enter');

  await page.getByRole('heading', { level: 1, name: 'Dry run of a restore' }).waitFor();
  expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
  await work();
  await page.getByRole('heading', { level: 1, name: 'Confirm the restore' }).waitFor();
  await page.getByText(/^How long restoring \d+ records takes is known after/).waitFor();
  const question = await tree();
  expect(question).toMatch(/textbox "Type the hub’s name to confirm: contoso-push-northeurope\/devices"/);
  expect(question).toMatch(/button "Restore \d+ records into contoso-push-northeurope\/devices" \[disabled\]/);
  expect(question).toMatch(/table:?[\s\S]+rowheader "To create missing in the hub"/);
  await tabTo(page, /^Type the hub’s name/);
  await keyboard.type(secondaryName);
  expect(await tree()).toMatch(/button "Restore \d+ records into contoso-push-northeurope\/devices"(?! \[disabled\])/);
  await keyboard.press('Enter');

  await page.getByRole('heading', { level: 1, name: 'Restore', exact: true }).waitFor();
  await page.getByRole('progressbar', { name: 'Records done' }).waitFor();
  await work(30);
  await page.getByRole('heading', { level: 1, name: 'Proof of the restore' }).waitFor();
  const proof = await tree();
  expect(proof).toContain('heading "Proof" [level=2]');
  expect(proof).toContain('heading "Next steps" [level=3]');
  const said = z.array(z.string()).parse(await page.evaluate('window.said'));
  expect(said).toContain('Starting the dry run …');
  expect(said.join('\n')).toMatch(
    /records would be restored\. Into [\s\S]+The name fits\.[\s\S]+Starting the restore …[\s\S]+Restored and proven\. /,
  );
  await look(page, 'keyboard');
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
