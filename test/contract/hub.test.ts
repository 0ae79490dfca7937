import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { makeCertificate } from '../../local/certificate.ts';
import { type EmulatorOptions, startEmulator } from '../../local/hub-lab/index.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { createMemoryHub } from '../support/memory-hub.ts';
import { anAppleRow } from '../support/rows.ts';
import { hubContract, type OpenHub } from './hub.ts';

type NamespaceOptions = NonNullable<EmulatorOptions['namespaces']>[number];

const clock = { now: Date.now, sleep: (milliseconds: number): Promise<void> => sleep(milliseconds) };

hubContract('memory', async () => {
  const hub = createMemoryHub({ ref: { namespace: 'one', hub: 'devices' } });
  return {
    hub,
    settle: async () => {},
    refuseForeignIds: () => {
      hub.refusesForeignIds = true;
    },
    async [Symbol.asyncDispose]() {},
  };
});

hubContract('client and emulator, service of 2022', () =>
  openEmulated({ switches: { generation: 2022, strictBodies: true } }),
);
hubContract('client and emulator, service of 2024', () =>
  openEmulated({ switches: { generation: 2024, installationDelayMs: 5 } }),
);
hubContract('client and emulator over TLS', async () => openEmulated({ tls: await makeCertificate() }));

describe('client and emulator', () => {
  const soon = { deadlineAt: Date.now() + 600_000 };

  test('every row of a seeded hub is read as the emulator has it', async () => {
    await using opened = await openEmulated({});
    opened.emulated.seed({ devices: 300, seed: 7 });
    const expected = new Map([...opened.emulated.registrations()].map((row) => [row.id, row]));
    let token: string | undefined;
    let count = 0;
    do {
      const page = await opened.hub.listPage(token, soon);
      if (page === 'tokenLost') throw new Error('the token was lost');
      for (const xml of page.rows) {
        const { id, handle, isTemplate, tags, etag, templateName } = parseRegistration(Buffer.from(xml).toString());
        const row = expected.get(id);
        expect({ handle, isTemplate, tags: [...tags].sort(), etag, templateName: templateName ?? '' }).toEqual({
          handle: row?.platform === 'Baidu' ? handle : row?.handle,
          isTemplate: row?.isTemplate,
          tags: [...(row?.tags ?? [])].sort(),
          etag: row?.etag,
          templateName: row?.templateName,
        });
        count += 1;
      }
      token = page.nextToken;
    } while (token !== undefined);
    expect(count).toBe(expected.size);
  });

  test('a hub that does not exist is named as such by listing, writing and probing', async () => {
    await using opened = await openEmulated({}, 'nowhere');
    await expect(opened.hub.listPage(undefined, soon)).rejects.toMatchObject({ code: 'HubNotFound' });
    await expect(opened.hub.createRegistrationId(soon)).rejects.toMatchObject({ code: 'HubNotFound' });
    await expect(opened.hub.probe(soon)).rejects.toMatchObject({ code: 'HubNotFound' });
  });

  test('a key that was rotated is not accepted', async () => {
    await using opened = await openEmulated({});
    opened.rotateKeys();
    await expect(opened.hub.listPage(undefined, soon)).rejects.toMatchObject({ code: 'HubUnauthorized' });
  });

  test('a full namespace is named by its quota', async () => {
    await using opened = await openEmulated({ tier: 1, switches: { enforceDeviceQuota: true } });
    const put = (id: string) =>
      opened.hub.putRegistration(id, anAppleRow({ id }).replace(/<ETag>.*<\/RegistrationId>/, ''), soon);
    expect(await put('1-1-1')).toEqual({ kind: 'written' });
    await expect(put('2-2-2')).rejects.toMatchObject({ code: 'QuotaExceeded' });
  });
});

interface EmulatedOptions {
  readonly switches?: Exclude<NamespaceOptions['hubs'][number], string>['switches'];
  readonly tier?: NamespaceOptions['tier'];
  readonly tls?: NamespaceOptions['tls'];
}

async function openEmulated({ switches = {}, tier, tls }: EmulatedOptions, hubName = 'devices') {
  const hubs = [{ name: 'devices', switches }];
  const emulator = await startEmulator({
    namespaces: [{ name: 'x', hubs, tls, ...(tier === undefined ? {} : { tier }) }],
  });
  const namespace = emulator.namespace('x');
  const emulated = emulator.hub('x', 'devices');
  const connection = parseHubConnection(namespace.connectionString(), hubName, 'TEST');
  const limiter = new Limiter({ maxConcurrency: 16, clock });
  const hub = createHub({
    connection,
    clock,
    limiter,
    random: Math.random,
    ...(tls === undefined ? {} : { trustedCertificate: tls.cert }),
  });
  return {
    hub,
    emulated,
    rotateKeys: () => namespace.rotateKeys(),
    settle: () => emulated.settle(),
    refuseForeignIds: () => {
      emulated.switches({ acceptForeignIds: false });
    },
    async [Symbol.asyncDispose]() {
      await hub.close();
      await emulator.close();
    },
  } satisfies OpenHub & Record<string, unknown>;
}
