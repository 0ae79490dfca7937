import { createApi } from '../../local/api.ts';
import { startAzurite } from '../../local/azurite.ts';
import { spawnHost } from '../../local/host/spawn-host.ts';
import { forgetPeak, peakBytesOf } from './child.ts';
import { startHubs } from './hubs.ts';
import { type Measured, settingsOf } from './ours.ts';
import { finishedRun } from './run-watch.ts';

/** Rows of other devices in the target: how much memory a restore takes is not to depend on them. */
const targets = { few: 200_000, many: 1_600_000 } as const;

/** The most memory the app's host holds while it restores a few devices into a target with many others. */
export async function measureLargeTarget(devices: number, folder: string, appDir: string): Promise<Measured> {
  const [few, many] = [await restoreBeside(targets.few), await restoreBeside(targets.many)];
  const figures = {
    ...{ rowsOfFew: targets.few, peakMegabytesOfFew: few.megabytes, secondsOfFew: few.seconds },
    ...{ rowsOfMany: targets.many, peakMegabytesOfMany: many.megabytes, secondsOfMany: many.seconds },
    peakOfManyInFew: many.megabytes / few.megabytes,
  };
  return { subject: 'large-target', figures };

  async function restoreBeside(rows: number) {
    await using hubs = await startHubs(devices, folder);
    await using azurite = await startAzurite();
    await hubs.addStrangers(rows);
    const settings = settingsOf({ reach: hubs.plain, azurite });
    await using host = await spawnHost({ appDir, settings, isQuiet: true });
    const api = createApi(() => host);
    const backup = await api.start('/api/backups');
    await finishedRun(azurite.connectionString, 'backup', backup.id);
    await forgetPeak(host.pid);
    const { id } = await api.start('/api/restores');
    const { run, seconds } = await finishedRun(azurite.connectionString, 'restore', id);
    const { total, created } = run.result?.counts ?? { total: 0, created: 0 };
    if (created === 0 || total !== created + rows) {
      throw new Error(`${created} records were created, and of ${rows} other devices ${total - created} found.`);
    }
    return { seconds, megabytes: (await peakBytesOf(host.pid)) / 2 ** 20 };
  }
}
