import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startEmulator } from '../../local/hub-lab/index.ts';
import type { App } from '../../src/app/app.ts';
import { examine } from '../../src/app/readiness/doctor.ts';
import { readHubMetadata } from '../../src/azure/metadata.ts';
import { DrError } from '../../src/core/errors.ts';
import type { HubRef, JobFiles } from '../../src/core/ports.ts';
import { readPlatform } from '../../src/settings/platform.ts';
import { emulatedArm, resourceOf } from '../support/by-identity.ts';
import { backUp, seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { testPlatform } from '../support/platform.ts';

const refs = {
  primary: { namespace: 'primary', hub: 'devices' },
  secondary: { namespace: 'secondary', hub: 'devices' },
};
const platform = { ...testPlatform, region: 'North Europe', appName: 'push-dr', resourceGroup: 'push-rg' };

const stateOf = async (app: App) => {
  const { checks } = await examine(app);
  return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
};

test('a deployment that has all it needs is well in each line', async () => {
  await using emulator = await startEmulator();
  emulator.arm.roles = ['read', 'pushCredentials'];
  const secondary = emulator.namespace('secondary');
  const apns = { apnsCredential: { properties: { token: 'x' } } };
  secondary.metadata = { ...secondary.metadata, pushCredentials: { devices: apns } };
  const arm = emulatedArm(emulator);
  const hubMetadata = ({ namespace }: HubRef) => readHubMetadata(arm, resourceOf(namespace));
  const engine = createEngine({ refs, wrap: () => ({ hubMetadata, platform }) });
  seed(engine, 24);
  await backUp(engine);
  const { isWell, checks } = await examine(engine.app);
  expect(checks.filter(({ state }) => state !== 'good')).toEqual([]);
  expect(isWell).toBe(true);
  expect(checks.map(({ name }) => name)).toEqual([
    ...['storage', 'queues', 'hub primary', 'hub secondary', 'resourceManager primary', 'resourceManager secondary'],
    ...['region', 'replication', 'pushCredentials', 'clock', 'versions', 'memory', 'settings', 'alerts', 'heartbeat'],
  ]);
  expect((await engine.container.list('')).filter(({ name }) => name.includes('doctor'))).toEqual([]);
});

test('what is wrong comes with the command that puts it right', async () => {
  await using emulator = await startEmulator();
  emulator.arm.roles = ['read', 'pushCredentials'];
  const arm = emulatedArm(emulator);
  const hubMetadata = ({ namespace }: HubRef) => readHubMetadata(arm, resourceOf(namespace));
  const engine = createEngine({ refs, wrap: () => ({ hubMetadata }) });
  seed(engine, 24);
  await backUp(engine);
  const app: App = {
    ...engine.app,
    blobs: { ...engine.app.blobs, put: () => Promise.reject(new DrError('StorageUnavailable', 'Denied.')) },
    notifier: { ...engine.app.notifier, hasWebhook: false },
    platform: { ...platform, region: 'westeurope', missingArguments: ['--max-old-space-size=224'] },
    policy: { ...engine.app.policy, ignoredSettings: ['MAX_FAILURES: is wrong.'] },
  };
  const { isWell, checks } = await examine(app);
  expect(isWell).toBe(false);
  const fixOf = (wanted: string) => checks.find(({ name, state }) => name === wanted && state === 'bad')?.fix;
  expect(fixOf('storage')).toContain('--role "Storage Blob Data Contributor"');
  expect(fixOf('region')).toContain('azd up');
  expect(fixOf('pushCredentials Apple')).toContain('az notification-hub credential apns update');
  expect(fixOf('alerts')).toBe(
    'az functionapp config appsettings set --name push-dr --resource-group push-rg --settings "ALERT_WEBHOOK_URL=<address>"',
  );
  expect(checks.filter(({ state }) => state === 'bad').map(({ name }) => name)).toEqual(
    expect.arrayContaining(['memory', 'settings']),
  );
});

test('where backups may come from export jobs, a container is made and signed for, and nothing is left of it', async () => {
  const containers: string[] = [];
  const files: JobFiles = {
    open: async (container) => {
      containers.push(container);
      return 'https://signed';
    },
    find: async () => undefined,
    read: () => Promise.reject(new Error('nothing is read')),
    write: () => Promise.reject(new Error('nothing is written')),
    address: () => Promise.reject(new Error('no file is signed for')),
    remove: async (container) => void containers.splice(containers.indexOf(container), 1),
    removeBefore: async () => {},
  };
  const jobsOf = (): never => {
    throw new Error('no job is submitted');
  };
  const { app } = createEngine();
  const looks = async (given: JobFiles) => {
    const { checks } = await examine({ ...app, exports: { jobsOf, files: given } });
    return checks.find(({ name }) => name === 'exports');
  };
  expect(await looks(files)).toMatchObject({ state: 'good' });
  expect(containers).toEqual([]);
  const writing = async (restoreWriter: 'direct' | 'import') => {
    const { checks } = await examine({ ...app, imports: { jobsOf, files }, policy: { ...app.policy, restoreWriter } });
    return checks.find(({ name }) => name === 'exports')?.state;
  };
  expect([await writing('import'), await writing('direct')]).toEqual(['good', undefined]);
  const refused = new DrError('StorageUnavailable', 'The identity may not sign addresses (403).');
  expect(await looks({ ...files, open: () => Promise.reject(refused) })).toMatchObject({
    state: 'bad',
    fix: expect.stringContaining('--scope <id of the storage account>'),
  });
  expect((await examine(app)).checks.map(({ name }) => name)).not.toContain('exports');
});

test('what may not be read is unknown, and what Resource Manager refuses altogether is wrong', async () => {
  await using emulator = await startEmulator();
  const arm = emulatedArm(emulator);
  const hubMetadata = ({ namespace }: HubRef) => readHubMetadata(arm, resourceOf(namespace));
  const { app } = createEngine({ refs, wrap: () => ({ hubMetadata, platform }) });
  expect(await stateOf(app)).toMatchObject({ pushCredentials: 'unknown', 'resourceManager primary': 'good' });
  const lineOf = async (name: string) => (await examine(app)).checks.find((one) => one.name === name);
  // The template has that parameter.
  const [, parameter = 'none'] = /echo 'param (\w+) = true'/.exec((await lineOf('pushCredentials'))?.fix ?? '') ?? [];
  expect(readFileSync('infra/main.bicep', 'utf8')).toContain(`param ${parameter} bool`);
  expect(await lineOf('replication')).toMatchObject({
    state: 'good',
    message: expect.stringContaining('the paired region'),
  });
  const primary = emulator.namespace('primary');
  primary.metadata = { ...primary.metadata, replicationRegion: 'None' };
  expect(await lineOf('replication')).toMatchObject({
    state: 'unknown',
    message: expect.stringMatching(/^The settings of namespace primary are lost with its region: /),
    fix: expect.stringContaining('--name primary --resource-type Microsoft.NotificationHubs/namespaces'),
  });
  emulator.arm.roles = [];
  expect(await stateOf(app)).toMatchObject({ region: 'unknown', 'resourceManager primary': 'bad' });
});

test('without resource ids Resource Manager is not asked', async () => {
  expect(await stateOf(createEngine().app)).toMatchObject({ 'resourceManager primary': 'unknown', region: 'unknown' });
});

test('the platform tells region and name, and which arguments of Node did not arrive', () => {
  const env = {
    REGION_NAME: 'West Europe',
    WEBSITE_SITE_NAME: 'push-dr',
    languageWorkers__node__arguments: '--a=1 --b=2',
    NODE_OPTIONS: '--b=2',
  };
  expect(readPlatform(env, { version: '24.1.0', execArgv: [], heapLimitBytes: 224 * 1024 * 1024 })).toEqual({
    nodeVersion: '24.1.0',
    region: 'West Europe',
    appName: 'push-dr',
    resourceGroup: undefined,
    heapLimitMegabytes: 224,
    missingArguments: ['--a=1'],
  });
});
