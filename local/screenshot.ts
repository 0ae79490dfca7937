import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { syncRunId } from '../src/core/run/sync.ts';
import { type Api, createApi } from './api.ts';
import { ensureBuilt } from './build.ts';
import { startBrowser } from './chromium.ts';
import { PRIMARY_HUB, type Stack, startStack } from './stack.ts';

const picture = fileURLToPath(new URL('../docs/images/console.png', import.meta.url));
/** Hourly, and not within the minutes that this takes. */
const minute = (new Date().getMinutes() + 30) % 60;
const settings = { BACKUP_SCHEDULE: `0 ${minute} * * * *`, SETTLE_SECONDS: '0', STANDBY_SYNC: 'afterBackup' };

/** `npm run screenshot`: the console's overview with a standby in step, from the running stack into docs/images. */
await ensureBuilt();
await using stack = await startStack({ devices: 20_000, seed: 7, settings });
await backUpAndSync(stack);
await mkdir(dirname(picture), { recursive: true });
await takePicture(stack);
process.stdout.write('docs/images/console.png is written.\n');

/** Few devices change before the last backup: the page extrapolates the loss from that change. */
async function backUpAndSync({ host, emulator }: Stack): Promise<void> {
  const api = createApi(() => host);
  for (const [seed, add] of [0, 1200, 400, 900, 2].entries()) {
    await emulator.admin('POST', `${PRIMARY_HUB}/churn`, { seed, add });
    const { id } = await api.finished('backup', (await api.start('/api/backups')).id);
    const sync = syncRunId(id);
    while ((await api.call('GET', `/api/restores/${sync}`)).status !== 200) await sleep(200);
    await api.finished('restore', sync);
  }
  await api.call('POST', '/api/snapshots/latest/verify');
  while ((await statusOf(api)) !== 'Ready') await sleep(500);
}

async function statusOf(api: Api): Promise<string> {
  return z.object({ verdict: z.string() }).parse((await api.call('GET', '/api/status')).body).verdict;
}

/** The function key is typed into a dialog that closes, so no picture and no address holds it. */
async function takePicture({ host }: Stack): Promise<void> {
  await using browser = await startBrowser();
  const page = await browser.newPage({
    viewport: { width: 1000, height: 1170 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  });
  await page.goto(`${host.url}/api/console`);
  await page.getByLabel('Key', { exact: true }).fill(host.keys.default);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Ready', { exact: true }).first().waitFor();
  await page.getByRole('img', { name: /^Records in the last/ }).waitFor();
  await page.locator('h1').focus();
  await page.screenshot({ path: picture });
}
