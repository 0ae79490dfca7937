import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { startBrowser } from '../../local/chromium.ts';
import { judgeDelivery, readRows } from '../../local/delivery.ts';
import { PRIMARY_HUB, SECONDARY_HUB, type Stack } from '../../local/stack.ts';
import { openStack } from '../support/stack.ts';
import { appears, countsOf, openTab, type Screen, tabTo } from './console-browser.ts';
import { fullNameOf } from './drive.ts';

const desk: Screen = { width: 1280, height: 900, colorScheme: 'light' };
const settings = { BACKUP_SCHEDULE: '0 0 0 1 1 *', SETTLE_SECONDS: '0', STEP_BUDGET_SECONDS: '2' };
/** While it holds, a restore runs long enough to reload the page and lose the connection. */
const slowWrites = [{ name: 'slow', method: ['POST', 'PUT'], route: '^/(registrations|installations)', delayMs: 1500 }];

let stack: Stack;
beforeAll(async () => {
  stack = await openStack({ devices: 300, seed: 21, settings });
});
afterAll(() => stack.close());

test('the page is one origin under a strict policy, holds no data, and serves nothing but its own files', async () => {
  const get = (path: string, headers = {}) =>
    fetch(`${stack.host.url}/api/console${path}`, { headers, redirect: 'manual' });
  const page = await get('');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|\*|http/);
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  const html = await page.text();
  expect(html).not.toMatch(/https?:|<script>|style="|\son\w+="/);
  for (const [, name] of html.matchAll(/(?:href|src)="console\/([^"]+)"/g)) {
    expect((await get(`/${name}`)).status, name).toBe(200);
  }
  const etag = page.headers.get('etag') ?? '';
  expect((await get('', { 'if-none-match': etag })).status).toBe(304);
  const back = await get('/');
  expect([back.status, back.headers.get('location')]).toEqual([308, '../console']);
  for (const name of ['assets.ts', 'tsconfig.json', 'api-types.d.ts', '..%2F..%2Fpackage.json', 'nothing.js']) {
    expect((await get(`/${name}`)).status, name).toBe(404);
  }
});

test('the whole restore by keyboard alone, with a reload, a changed key and a lost connection on the way', async () => {
  await using browser = await startBrowser();
  const { context, page, requests, faults } = await openTab(browser, desk);
  const key = stack.host.keys.default;
  const { keyboard } = page;
  const giveKey = async (text: string) => {
    await page.getByLabel('Key', { exact: true }).waitFor();
    await keyboard.type(text);
    await keyboard.press('Enter');
  };
  const press = async (name: string | RegExp) => {
    await tabTo(page, name);
    await keyboard.press('Enter');
  };

  await page.goto(`${stack.host.url}/api/console`);
  await keyboard.press('Escape');
  await giveKey('not-the-key');
  await page.locator('dialog').getByText('does not accept this key').waitFor();
  await giveKey(key);
  await page.locator('main').getByText('Not ready', { exact: true }).first().waitFor();
  await press('Back up now');
  await appears(page.locator('main').getByText('At risk', { exact: true }).first());
  await press('Verify the newest');
  await appears(page.locator('main').getByText('Ready', { exact: true }).first());

  await press('Restore …');
  await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Choose what to restore');
  await press('Start the dry run');
  await appears(
    page
      .locator('main')
      .getByText(/records would be restored/)
      .first(),
  );
  const api = createApi(() => stack.host);
  const before = await api.runs('restore');
  expect(before).toMatchObject([{ status: 'Succeeded', counts: { failed: 0, pending: 0 } }]);
  const total = before[0]?.counts?.total ?? 0;
  expect(await countsOf(page, 'To create')).toBe(total);
  expect(await countsOf(page, 'Requested')).toBe(total);

  await tabTo(page, /^Type the hub’s name/);
  await keyboard.type('devices');
  await keyboard.press('Enter');
  await page.locator('main').getByText('That is not the hub’s name').first().waitFor();
  expect(await api.runs('restore')).toHaveLength(1);
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', slowWrites);
  await keyboard.press('Control+A');
  await keyboard.type(await fullNameOf(api, 'secondary'));
  // The key is changed in this moment: what was typed waits until there is another one.
  await page.route('**/api/restores/*', (route) => route.fulfill({ status: 401 }), { times: 1 });
  await keyboard.press('Enter');
  await giveKey(key);
  await page.getByRole('progressbar').waitFor();

  await page.goto(`${stack.host.url}/api/console`);
  await giveKey(key);
  await page.getByRole('heading', { name: 'Restore', exact: true }).waitFor();
  await page.route('**/api/restores/*', (route) => route.fulfill({ status: 503 }), { times: 2 });
  await page.locator('#connection').waitFor();
  await page.locator('#connection').waitFor({ state: 'hidden' });
  await context.setOffline(true);
  await page.locator('#connection').waitFor();
  await stack.emulator.admin('POST', '/namespaces/secondary/faults', []);
  await context.setOffline(false);
  await page.locator('#connection').waitFor({ state: 'hidden' });
  await appears(page.locator('main').getByText('Restored and proven').first());
  await page.getByRole('heading', { name: 'Next steps' }).waitFor();
  expect(await countsOf(page, 'Created')).toBe(total);

  const rows = await readRows(stack.emulator, PRIMARY_HUB);
  await stack.emulator.admin('POST', `${SECONDARY_HUB}/broadcast`, { message: 'proof' });
  const { expected, once } = await judgeDelivery(stack.emulator, SECONDARY_HUB, rows, []);
  expect(once).toBe(expected);
  expect(faults).toEqual([]);
  expect(requests.filter((request) => !request.includes(` ${stack.host.url}/api/`))).toEqual([]);
  expect(requests.filter((request) => request.includes(key) || request.includes('not-the-key'))).toEqual([]);
  expect(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length')).toBe(0);
  expect(await page.content()).not.toContain(key);
}, 240_000);
