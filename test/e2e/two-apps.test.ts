import { QueueServiceClient } from '@azure/storage-queue';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { openStack } from '../support/stack.ts';
import { openStorageAccount } from '../support/storage-account.ts';
import { backUp, quickSettings, restore } from './drive.ts';

const alertSchema = z.object({ code: z.string(), message: z.string() });
const statusSchema = z.object({ alerts: z.object({ open: z.array(alertSchema) }) });
type Alert = z.infer<typeof alertSchema>;

test.each(['disjoint', 'with one primary'])(
  'two apps on one storage account keep apart: pairs %s',
  async (pairs) => {
    const account = openStorageAccount();
    await using first = await openStack({ devices: 250, seed: 21, account, settings: quickSettings });
    const primary = first.emulator.namespaces['primary']?.connectionString ?? '';
    await using second = await openStack({
      ...{ devices: 120, seed: 22, account },
      settings: {
        ...quickSettings,
        // Two apps of the platform have timers and keys of their own.
        AzureWebJobsStorage: openStorageAccount().connectionString,
        ...(pairs === 'disjoint' ? {} : { PRIMARY_HUB_CONNECTION: primary }),
      },
    });
    const apis = [createApi(() => first.host), createApi(() => second.host)];
    const backups = await Promise.all(apis.map(backUp));
    const restores = await Promise.all(apis.map(restore));
    for (const [index, api] of apis.entries()) {
      expect((await api.runs('backup')).map(({ id }) => id)).toEqual([backups[index]?.id]);
      expect((await api.runs('restore')).map(({ id }) => id)).toEqual([restores[index]?.id]);
      const { body } = await api.call('GET', '/api/status');
      // After its own restore each may ask which hub is in use; nothing there is of the other app.
      const isOwn = ({ code, message }: Alert): boolean =>
        code === 'RoleUnsettled' && message.startsWith(`Restore ${restores[index]?.id} `);
      expect(statusSchema.parse(body).alerts.open.filter((alert) => !isOwn(alert))).toEqual([]);
    }
    const records = backups.map((run) => run.result?.recordCount);
    expect(records[0] === records[1]).toBe(pairs !== 'disjoint');
    const queues: string[] = [];
    for await (const { name } of QueueServiceClient.fromConnectionString(account.connectionString).listQueues()) {
      queues.push(name.replace(/-[0-9a-f]{8}$/, ''));
    }
    const lanes = ['dr-steps-backups', 'dr-steps-restores'];
    expect(queues.sort()).toEqual([...lanes, ...lanes].sort());
  },
  180_000,
);
