import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { startBrowser } from '../../local/chromium.ts';
import { openStack } from '../support/stack.ts';
import { appears, columnSums, countsOf, expectAccessible, figuresOf, openTab } from './console-browser.ts';
import { fullNameOf } from './drive.ts';

const settings = { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '0', STEP_BUDGET_SECONDS: '2' };

test('a restore that fails in part is explained and retried, the retry reported and rolled back; a snapshot is pinned, and one platform of it restored', async () => {
  await using stack = await openStack({ devices: 300, seed: 23, settings });
  await using browser = await startBrowser();
  const api = createApi(() => stack.host);
  const backup = await api.start('/api/backups');
  await api.finished('backup', backup.id);
  const refused = [{ name: 'poison', method: 'PUT', route: 'installations', everyNth: 5, status: 400 }];
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', refused);
  const partly = await api.finished('restore', (await api.start('/api/restores')).id);
  const failed = partly.counts?.failed ?? 0;
  expect(failed).toBeGreaterThan(0);
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', []);

  const { page, faults } = await openTab(browser, { width: 1280, height: 900, colorScheme: 'light' });
  const main = page.locator('main');
  await page.goto(`${stack.host.url}/api/console#/restores/${partly.id}`);
  await page.getByLabel('Key', { exact: true }).fill(stack.host.keys.default);
  await page.getByLabel('Your name').fill('Zoë at the pager');
  await page.getByRole('button', { name: 'Continue' }).click();
  await main.getByText('Incomplete', { exact: true }).waitFor();
  expect(await countsOf(page, 'Failed')).toBe(failed);
  expect(await columnSums(page)).toEqual(await figuresOf(page, 'Requested'));
  await main
    .getByText(/^The hub says: /)
    .first()
    .waitFor();
  const groups = await page.locator('.groups strong').allInnerTexts();
  expect(groups.map((text) => Number(/^\d+(?= records? of \w+$)/.exec(text))).reduce((a, b) => a + b)).toBe(failed);
  await page.getByRole('button', { name: 'Show each of them' }).click();
  await page.locator('.records li').first().waitFor();
  expect(await page.locator('.records li').count()).toBe(failed);
  const created = partly.counts?.created ?? 0;
  await main.getByText(`Created: ${created} records`).click();
  await page.getByRole('button', { name: 'Show them' }).first().click();
  await expect.poll(() => page.locator('details[open] .records li').count()).toBe(Math.min(100, created));
  await expectAccessible(page, 'incomplete');

  await page.getByRole('button', { name: 'Retry the failed ones' }).click();
  await page.getByRole('heading', { name: 'Retry', exact: true }).waitFor();
  await appears(main.getByText('Restored and proven'));
  expect(await countsOf(page, 'Requested')).toBe(failed);
  const { total = 0 } = partly.counts ?? {};
  await main.getByText(`${total - failed} + ${failed} = ${total} of ${total} records are in place.`).waitFor();

  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the report' }).click();
  const report = await (await downloading).createReadStream();
  const text = await new Response(ReadableStream.from(report)).text();
  expect(text).toMatch(/^# /);
  expect(text).toContain('| asked for by | Zoë at the pager, ');
  expect(text).not.toContain(stack.host.keys.default);

  await page.getByRole('button', { name: 'Roll back …' }).click();
  const yes = page.getByRole('button', { name: 'Roll back', exact: true });
  expect(await yes.isDisabled()).toBe(true);
  const name = await fullNameOf(api, 'secondary');
  await page.getByLabel(/^Type the hub’s name/).press('Enter');
  await page.locator('dialog').getByText(`Type ${name}.`).waitFor();
  await expectAccessible(page, 'roll back?');
  await page.getByLabel(/^Type the hub’s name/).fill(name);
  await page.keyboard.press('Enter');
  await appears(main.getByText('Rolled back', { exact: true }));
  expect(await countsOf(page, 'Removed')).toBe(failed);
  await expectAccessible(page, 'rolled back');

  await page.getByRole('link', { name: 'Back to overview' }).click();
  await page.locator('summary').first().click();
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await page.getByRole('button', { name: 'Unpin' }).waitFor();
  expect(await api.call('GET', `/api/snapshots/${backup.id}`)).toMatchObject({ body: { pinned: true } });

  await page.getByRole('link', { name: 'Restore this one …' }).click();
  await page.getByText('Note, order, or only some of the devices').click();
  await page.getByLabel('Apple').check();
  await page.getByLabel('Note', { exact: true }).fill('only the phones of the board');
  await page.getByRole('button', { name: 'Start the dry run' }).click();
  await main.getByText('only the phones of the board').waitFor();
  await main.getByText('Zoë at the pager', { exact: true }).waitFor();
  await appears(page.getByLabel(/^Type the hub’s name/));
  expect(await page.locator('.counts thead th').allInnerTexts()).toEqual(['Records', 'All', 'Apple']);
  expect(await columnSums(page)).toEqual(await figuresOf(page, 'Requested'));
  expect(faults).toEqual([]);
}, 240_000);
