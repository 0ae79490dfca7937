import { expect, test } from 'vitest';
import type { NamespaceMetadata } from '../../local/hub-lab/emulated-namespace.ts';
import { type Emulator, startEmulator } from '../../local/hub-lab/index.ts';
import type { App } from '../../src/app/app.ts';
import { compareHubs } from '../../src/app/readiness/metadata.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { readHubMetadata } from '../../src/azure/metadata.ts';
import type { HubRef } from '../../src/core/ports.ts';
import { emulatedArm, resourceOf } from '../support/by-identity.ts';
import { backUp, seed } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

const SECRET = 'c2VjcmV0LWNyZWRlbnRpYWw=';
const set = (...names: readonly string[]): NamespaceMetadata['pushCredentials'] => ({
  devices: Object.fromEntries(names.map((name) => [name, { properties: { token: SECRET, endpoint: 'x' } }])),
});
const refs = {
  primary: { namespace: 'primary', hub: 'devices' },
  secondary: { namespace: 'secondary', hub: 'devices' },
};

function describe(emulator: Emulator, namespace: string, changes: Partial<NamespaceMetadata>): void {
  const found = emulator.namespace(namespace);
  found.metadata = { ...found.metadata, ...changes };
}

/** An app whose hubs' settings come from the emulated Resource Manager. */
function anEngine(emulator: Emulator, callTimeoutMs = 2000) {
  const arm = emulatedArm(emulator, callTimeoutMs);
  const hubMetadata = ({ namespace }: HubRef) => readHubMetadata(arm, resourceOf(namespace));
  return createEngine({ refs, wrap: () => ({ hubMetadata }) });
}

const forget = ({ memory }: App) => memory.metadata.clear();

test('every difference between the hubs is listed, and no secret', async () => {
  await using emulator = await startEmulator();
  emulator.arm.roles = ['keys', 'read', 'pushCredentials'];
  describe(emulator, 'primary', {
    pushCredentials: set('apnsCredential', 'fcmV1Credential'),
    replicationRegion: 'None',
  });
  describe(emulator, 'secondary', {
    location: 'North Europe',
    sku: 'Basic',
    pushCredentials: {
      devices: { fcmV1Credential: { properties: { clientEmail: 'a', privateKey: SECRET } }, wnsCredential: null },
    },
    networkAcls: {
      ipRules: [{ ipMask: '10.0.0.0/8', rights: ['Send', 'Listen'] }],
      publicNetworkRule: { rights: ['Listen'] },
    },
  });
  const compared = await compareHubs(anEngine(emulator).app);
  expect(compared.differences).toEqual([
    { what: 'pushCredential Apple', primary: 'set', secondary: 'none' },
    { what: 'tier', primary: 'Standard', secondary: 'Basic' },
    { what: 'ipRule 10.0.0.0/8', primary: 'none', secondary: 'Listen, Send' },
    { what: 'ipRule everyone else', primary: 'none', secondary: 'Listen' },
  ]);
  expect(compared).toMatchObject({
    primary: { replicationRegion: 'None', pushCredentials: ['Apple', 'FcmV1'] },
    secondary: { location: 'North Europe', tier: 'Basic', pushCredentials: ['FcmV1'] },
    unknown: [],
  });
  expect(JSON.stringify(compared)).not.toContain(SECRET);
});

test('without the role that reads push credentials the answer is unknown, and the rest is compared', async () => {
  await using emulator = await startEmulator();
  describe(emulator, 'secondary', { zoneRedundancy: 'Enabled' });
  const compared = await compareHubs(anEngine(emulator).app);
  expect(compared.differences).toEqual([{ what: 'zoneRedundancy', primary: 'Disabled', secondary: 'Enabled' }]);
  expect(compared.secondary).toMatchObject({ pushCredentials: 'unknown' });
  expect(compared.unknown).toEqual([
    { hub: 'primary/devices', reason: expect.stringMatching(/push credentials of hub primary\/devices \(403\)/) },
    { hub: 'secondary/devices', reason: expect.stringMatching(/push credentials of hub secondary\/devices \(403\)/) },
  ]);
});

test('a hub without a resource id is named as not compared', async () => {
  const { app } = createEngine();
  expect(await compareHubs(app)).toMatchObject({
    differences: [],
    unknown: [{ reason: 'PRIMARY_HUB_RESOURCE_ID is not set.' }, { reason: 'SECONDARY_HUB_RESOURCE_ID is not set.' }],
  });
  expect(await readStatus(app)).toMatchObject({ metadata: null });
});

test('the card names platforms of the snapshot that the standby cannot reach, with their registrations', async () => {
  await using emulator = await startEmulator();
  emulator.arm.roles = ['read', 'pushCredentials'];
  describe(emulator, 'secondary', { pushCredentials: set('fcmV1Credential'), sku: 'Basic' });
  const engine = anEngine(emulator);
  seed(engine, 24);
  await backUp(engine);
  const card = await readStatus(engine.app);
  expect(card.findings.map(({ code }) => code)).not.toContain('SameRegion');
  const { Apple = 0 } = card.latestGoodSnapshot?.counts.byPlatform ?? {};
  expect(Apple).toBeGreaterThan(0);
  expect(card).toMatchObject({
    verdict: 'NotReady',
    target: { tier: 'Basic', deviceLimit: 200_000, devicesOfOthers: 0 },
  });
  expect(card.findings).toContainEqual(
    expect.objectContaining({
      code: 'PushCredentialMissing',
      message: expect.stringContaining(`Apple (${Apple} registrations)`),
    }),
  );
  expect(card.undeliverable).toContainEqual({ platform: 'Apple', registrations: Apple, reason: expect.any(String) });
  const all = [
    'apnsCredential',
    'fcmV1Credential',
    'gcmCredential',
    'wnsCredential',
    'admCredential',
    'mpnsCredential',
  ];
  describe(emulator, 'secondary', {
    pushCredentials: set(...all, 'baiduCredential', 'browserCredential', 'xiaomiCredential'),
  });
  describe(emulator, 'secondary', { location: 'westeurope' });
  forget(engine.app);
  const codes = (await readStatus(engine.app)).findings.map(({ code }) => code);
  expect(codes).not.toContain('PushCredentialMissing');
  expect(codes).toContain('SameRegion');
});

test.each(['hang', 'reset'] as const)('while Resource Manager does %s, the card comes all the same', async (how) => {
  await using emulator = await startEmulator();
  emulator.arm.setFaults([
    { on: 'read', [how]: true },
    { on: 'pushCredentials', [how]: true },
  ]);
  const beganAt = performance.now();
  const card = await readStatus(anEngine(emulator, 300).app);
  expect(performance.now() - beganAt).toBeLessThan(1300);
  expect(card.metadata?.target).toMatchObject({ pushCredentials: 'unknown', unknown: expect.any(Array) });
  expect(card.metadata?.target?.unknown.length).toBeGreaterThan(0);
});
