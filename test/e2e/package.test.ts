import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createApi } from '../../local/api.ts';
import { buildPackage } from '../../local/build-package.ts';
import { spawnHost } from '../../local/host/spawn-host.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const hub = 'Endpoint=sb://ns.example/;SharedAccessKeyName=Root;SharedAccessKey=a2V5';

test('what is deployed is small, names its licences, needs no other package, and serves in the host', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'package-'));
  try {
    const built = await buildPackage(folder);
    expect(built.bytes).toBeLessThan(8e6);
    expect(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))).not.toHaveProperty('dependencies');
    const notices = await readFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of ['undici', 'zod', '@azure/functions', '@azure/storage-blob']) expect(notices).toContain(name);

    const azurite = openStorageAccount();
    // The folder is outside the project: what is not in it cannot be found.
    await using host = await spawnHost({
      appDir: folder,
      settings: {
        AzureWebJobsStorage: azurite.connectionString,
        SNAPSHOT_STORAGE: azurite.connectionString,
        PRIMARY_HUB_CONNECTION: hub,
        PRIMARY_HUB_NAME: 'primary',
        SECONDARY_HUB_CONNECTION: hub,
        SECONDARY_HUB_NAME: 'secondary',
        BACKUP_SCHEDULE: '0 0 0 1 1 *',
      },
    });
    const status = await createApi(() => host).call('GET', '/api/status');
    expect(status).toMatchObject({ status: 503, body: { verdict: 'NotReady', latestGoodSnapshot: null } });
    const page = await fetch(`${host.url}/api/console`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    // Every function of the app, as the host lists them when it starts; what hooks into the host's start and stop is none.
    const files = await readdir(fileURLToPath(new URL('../../functions', import.meta.url)));
    const triggers = files.filter((name) => !name.startsWith('host-'));
    expect(host.output().match(/Function \w+: \[/g)?.length).toBeGreaterThanOrEqual(triggers.length);
  } finally {
    await rm(folder, { recursive: true });
  }
});
