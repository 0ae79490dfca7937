import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createFcmV1RegistrationDescription } from '@azure/notification-hubs';
import { ContainerClient } from '@azure/storage-blob';
import { expect, onTestFinished, test } from 'vitest';
import { buildLibrary } from '../../local/build-library.ts';
import { type EmulatedNamespace, startEmulator } from '../../local/hub-lab/index.ts';
import { RedundantHub } from '../../src/redundant/redundant-hub.ts';
import { openStorageAccount } from '../support/storage-account.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const azurite = openStorageAccount();

const rowsOf = ({ hubs }: EmulatedNamespace) => hubs.flatMap((hub) => [...hub.registrations()]);

async function openHubs() {
  const namespaces = [
    { name: 'north', hubs: ['devices'] },
    { name: 'west', hubs: ['devices'] },
  ];
  const emulator = await startEmulator({ namespaces });
  onTestFinished(() => emulator[Symbol.asyncDispose]());
  const [north, west] = [emulator.namespace('north'), emulator.namespace('west')];
  return { north, west, connections: [north.connectionString(), west.connectionString()] as const };
}

test('the example runs in an empty project, from the package that npm packs', async () => {
  const { north, west, connections } = await openHubs();
  const folder = await mkdtemp(join(tmpdir(), 'library-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await buildLibrary(join(folder, 'library'));
  const { stdout } = await run('npm', ['pack', '--pack-destination', folder], { cwd: join(folder, 'library') });
  const into = join(folder, 'node_modules', 'notification-hubs-dr');
  await mkdir(into, { recursive: true });
  await run('tar', ['-xzf', join(folder, stdout.trim()), '-C', into, '--strip-components', '1']);
  // What npm would install: the two dependencies, and nothing else of ours.
  const { dependencies } = JSON.parse(await readFile(join(into, 'package.json'), 'utf8'));
  expect(Object.keys(dependencies)).toEqual(['@azure/notification-hubs', '@azure/storage-blob']);
  await mkdir(join(folder, 'node_modules', '@azure'));
  for (const name of Object.keys(dependencies))
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  await copyFile(join(root, 'docs/examples/dual-writes.js'), join(folder, 'example.js'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  const [PRIMARY, SECONDARY] = connections;
  const env = { ...process.env, PRIMARY, SECONDARY, HUB_NAME: 'devices', SNAPSHOT_STORAGE: azurite.connectionString };
  const said = await run(process.execPath, ['example.js'], { cwd: folder, env });
  expect(said.stderr).toBe('');
  expect(said.stdout.match(/active: 'ok', other: 'ok'/g)).toHaveLength(2);
  for (const namespace of [north, west]) {
    expect(rowsOf(namespace).map(({ tags }) => tags)).toEqual([expect.arrayContaining(['news', 'sport'])]);
  }
});

test('registrations are in both hubs under one id, a patch of a device that is not there is refused', async () => {
  const { north, west, connections } = await openHubs();
  const container = new ContainerClient(azurite.connectionString, randomUUID());
  const [primary, secondary] = connections.map((connectionString) => ({ connectionString, hubName: 'devices' }));
  if (primary === undefined || secondary === undefined) throw new Error('two hubs');
  const hub = new RedundantHub({ primary, secondary, container });
  onTestFinished(() => hub.close());
  const registrationId = await hub.createRegistrationId();
  const registration = {
    ...createFcmV1RegistrationDescription({ fcmV1RegistrationId: 'a<b', tags: ['x'] }),
    registrationId,
  };
  expect(await hub.createOrUpdateRegistration(registration)).toEqual({ active: 'ok', other: 'ok' });
  for (const namespace of [north, west])
    expect(rowsOf(namespace)).toMatchObject([{ id: registrationId, handle: 'a<b', tags: ['x'] }]);
  await expect(hub.updateInstallation('absent', [{ op: 'add', path: '/tags', value: 'a' }])).rejects.toMatchObject({
    code: 'NotFound',
    isQueued: false,
  });
  expect(await hub.deleteRegistration(registrationId)).toEqual({ active: 'ok', other: 'ok' });
  for (const namespace of [north, west]) expect(rowsOf(namespace)).toEqual([]);
  await expect.poll(() => hub.lag().then(({ waiting }) => waiting)).toBe(0);
});
