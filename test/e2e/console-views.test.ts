import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { startBrowser } from '../../local/chromium.ts';
import { openStack } from '../support/stack.ts';
import { appears, expectAccessible, expectNoSideScroll, openTab, type Screen } from './console-browser.ts';

const settings = { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '0', STEP_BUDGET_SECONDS: '2' };
/** While it holds, nothing is written, however slow this machine is. */
const throttledWrites = [{ name: 'throttle429', method: ['POST', 'PUT'], route: '^/(registrations|installations)' }];

const screens: readonly Screen[] = [
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 1280, height: 900, colorScheme: 'dark' },
  { width: 360, height: 740, colorScheme: 'light' },
  { width: 320, height: 640, colorScheme: 'dark' },
];

test('axe finds no fault in any view, on a desk and on a phone, light and dark; nothing scrolls sideways', async () => {
  await using stack = await openStack({ devices: 300, seed: 22, settings });
  await using browser = await startBrowser();
  const api = createApi(() => stack.host);
  const tabs = await Promise.all(screens.map((screen) => openTab(browser, screen)));
  /** Brings every tab to a view and checks it there. */
  const check = async (view: string, reach: (page: Page) => Promise<unknown>) => {
    const checks = tabs.map(async ({ page }, index) => {
      const what = `${view} ${screens[index]?.width} ${screens[index]?.colorScheme}`;
      await reach(page);
      await expectAccessible(page, what);
      await expectNoSideScroll(page, what);
    });
    await Promise.all(checks);
  };
  const goTo = async (page: Page, hash: string, text: string | RegExp) => {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator('main').getByText(text).first().waitFor();
  };

  await check('key', async (page) => {
    await page.goto(`${stack.host.url}/api/console`);
    await page.getByLabel('Key', { exact: true }).waitFor();
  });
  await check('not ready', async (page) => {
    await page.getByLabel('Key', { exact: true }).fill(stack.host.keys.default);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('main').getByText('Not ready', { exact: true }).first().waitFor();
  });
  for (let backups = 0; backups < 3; backups++) {
    await api.finished('backup', (await api.start('/api/backups')).id);
  }
  await check('at risk', async (page) => {
    await appears(page.locator('main').getByText('At risk', { exact: true }).first());
    await page.locator('summary').first().click();
    await page.getByRole('link', { name: 'Restore this one …' }).waitFor();
    await page.getByRole('img', { name: /^Devices in the last 3 snapshots/ }).waitFor();
  });
  await check('choose', async (page) => {
    await goTo(page, '#/restore', 'Start the dry run');
    await page.getByText('Note, order, or only some of the devices').click();
    await page.getByLabel('Only devices with tags').waitFor();
  });
  const dryRun = await api.start('/api/restores', { dryRun: true });
  await api.finished('restore', dryRun.id);
  await check('confirm', async (page) => {
    await goTo(page, `#/restores/${dryRun.id}`, /devices would be restored/);
    await page.getByLabel(/^Type the hub’s name/).press('Enter');
  });
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', throttledWrites);
  const restore = await api.start('/api/restores');
  await check('running', (page) => goTo(page, `#/restores/${restore.id}`, 'Lost to throttling'));
  await check('stop?', async (page) => {
    await page.getByRole('button', { name: 'Stop …' }).click();
    await page.getByText('Stop this run?').waitFor();
  });
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', []);
  await api.finished('restore', restore.id);
  await check('proof', async (page) => {
    await page.keyboard.press('Escape');
    await page.locator('main').getByText('Restored and proven').first().waitFor();
  });
  await check('unknown restore', (page) => goTo(page, '#/restores/nothing', 'This restore could not be read.'));
  await check('drill', async (page) => {
    await goTo(page, '#/', 'Failover readiness');
    if (page !== tabs[0]?.page) return;
    await page.getByRole('button', { name: 'Run a drill' }).click();
    await appears(page.locator('main').getByText('The drill has passed.').first());
  });
  await check('history', async (page) => {
    const history = page.getByRole('region', { name: 'History' });
    // A list that could not be read keeps its button, and is asked for again, as a person would.
    const readAll = async () => {
      for (const what of ['backups', 'restores', 'verifications', 'drills']) {
        const show = page.getByRole('button', { name: `Show the ${what}` });
        if (await show.isVisible()) await show.click();
      }
      return history.innerText();
    };
    const shown = expect.poll(readAll, { timeout: 120_000, interval: 1000 });
    await shown.toMatch(/^Drill /m);
    await shown.toMatch(/^Dry run from .+ into /m);
  });
  await check('deployment', async (page) => {
    await page.getByRole('button', { name: 'Show the changes people asked for' }).click();
    await appears(page.getByText(/POST \/api\/restores 202 /).first());
    const deployment = page.getByRole('region', { name: 'Deployment' });
    await page.getByRole('button', { name: 'Check the deployment' }).click();
    // No alert is sent in this stack.
    await appears(deployment.getByText(/^\d+ of \d+ checks found something wrong\.$/));
    expect(await deployment.innerText()).toContain('--settings "ALERT_WEBHOOK_URL=<address>"');
    await page.getByRole('button', { name: 'Compare the hubs’ settings' }).click();
    await appears(deployment.getByText('No difference in what could be compared.'));
    expect(await deployment.innerText()).toContain('PRIMARY_HUB_RESOURCE_ID is not set.');
  });
  await stack.emulator.admin('POST', '/namespaces/primary/down');
  const backup = await api.start('/api/backups');
  await check('primary down', async (page) => {
    await goTo(page, '#/', 'Failover readiness');
    await appears(page.locator('main').getByText('No answer since').first());
    await appears(
      page
        .locator('main')
        .getByText(/^Waiting for .+ \(.+\); /)
        .first(),
    );
  });
  await tabs[0]?.page.getByRole('button', { name: 'Stop the backup' }).click();
  await expect.poll(async () => (await api.runs('backup')).find(({ id }) => id === backup.id)?.status).toBe('Canceled');
  expect(tabs.flatMap((tab) => tab.faults)).toEqual([]);
}, 300_000);
