import { describe, expect, test } from 'vitest';
import { startEmulator } from '../../local/hub-lab/index.ts';
import type { ArmFault } from '../../local/hub-lab/resource-manager.ts';
import { listKeys } from '../../src/azure/hub-keys.ts';
import { DrError } from '../../src/core/errors.ts';
import { type HubConnection, parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createKeys } from '../../src/hub/transport/keys.ts';
import { emulatedArm, resourceOf } from '../support/by-identity.ts';
import { openHubRig } from './hub-rig.ts';

const everywhere = { devices: 60, isByIdentity: true } as const;

describe('keys from Resource Manager', () => {
  test('serve a backup and a restore, and are read once for each hub', async () => {
    await using rig = await openHubRig(everywhere);
    await rig.backUp();
    expect(await rig.restore()).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
    expect(rig.contentOf('secondary')).toEqual(distinct(rig.contentOf('primary')));
    expect(rig.emulator.arm.calls.get('keys')).toBe(2);
  });

  test('that are rotated in the middle of a restore are read again, once', async () => {
    await using rig = await openHubRig(everywhere);
    await rig.backUp();
    const secondary = rig.emulator.namespace('secondary');
    let writes = 0;
    secondary.intercept(({ method }) => {
      if (method === 'PUT' && ++writes === 20) secondary.rotateKeys();
      return undefined;
    });
    expect(await rig.restore()).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
    expect(rig.contentOf('secondary')).toEqual(distinct(rig.contentOf('primary')));
    expect(rig.emulator.arm.calls.get('keys')).toBe(3);
  });

  test('that are rotated while Resource Manager is down are waited for', async () => {
    await using rig = await openHubRig(everywhere);
    await rig.backUp();
    const secondary = rig.emulator.namespace('secondary');
    let writes = 0;
    secondary.intercept(({ method }) => {
      if (method !== 'PUT' || ++writes !== 20) return undefined;
      secondary.rotateKeys();
      rig.emulator.arm.setFaults([{ on: 'keys', status: 503, count: 3 }]);
      return undefined;
    });
    expect(await rig.restore()).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
    expect(rig.contentOf('secondary')).toEqual(distinct(rig.contentOf('primary')));
  });

  test('once read serve while Resource Manager and the identity endpoint refuse connections', async () => {
    await using rig = await openHubRig(everywhere);
    await rig.backUp();
    await rig.restore({ dryRun: true });
    await rig.emulator.arm.close();
    expect(await rig.restore()).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  });

  test('a process that starts while all of the primary region is away restores: hub and Resource Manager', async () => {
    await using rig = await openHubRig(everywhere);
    await rig.backUp();
    const before = distinct(rig.contentOf('primary'));
    await rig.emulator.namespace('primary').down();
    const away = (['keys', 'read', 'pushCredentials'] as const).map(
      (on): ArmFault => ({ on, namespace: 'primary', reset: true }),
    );
    rig.emulator.arm.setFaults(away);
    rig.restart();
    expect(await rig.restore()).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
    expect(rig.contentOf('secondary')).toEqual(before);
  });
});

/** Without the rows of the primary that are there twice. */
function distinct(rows: readonly string[]): string[] {
  return [...new Set(rows)];
}

const hub = resourceOf('primary');

/** What reading the keys came to under these faults, and how long it took. */
async function readUnder(faults: readonly ArmFault[], callTimeoutMs = 400) {
  await using emulator = await startEmulator();
  emulator.arm.setFaults(faults);
  const beganAt = performance.now();
  const outcome = await listKeys(emulatedArm(emulator, callTimeoutMs), hub).catch((error: unknown) => error);
  const ms = performance.now() - beganAt;
  return {
    outcome,
    ms,
    keys: emulator
      .namespace('primary')
      .policies('devices')
      .flatMap((rule) => rule.keys),
  };
}

describe('reading keys', () => {
  test.each<[string, ArmFault, string, boolean]>([
    ['a token endpoint that hangs', { on: 'token', hang: true }, 'HubUnavailable', true],
    ['a token endpoint that is slow', { on: 'token', delayMs: 5000 }, 'HubUnavailable', true],
    ['a token endpoint that fails', { on: 'token', status: 500 }, 'HubUnavailable', true],
    ['a token endpoint that throttles', { on: 'token', status: 429 }, 'HubUnavailable', true],
    ['a token endpoint that is not there yet', { on: 'token', status: 404 }, 'HubUnavailable', true],
    ['a token endpoint that ends connections', { on: 'token', reset: true }, 'HubUnavailable', true],
    ['a call that hangs', { on: 'keys', hang: true }, 'HubUnavailable', true],
    ['a call that is cut', { on: 'keys', reset: true }, 'HubUnavailable', true],
    ['an error of the service', { on: 'keys', status: 500 }, 'HubUnavailable', true],
    ['throttling', { on: 'keys', status: 429 }, 'HubUnavailable', true],
    ['a token that is never accepted', { on: 'keys', status: 401 }, 'HubUnavailable', true],
    ['a policy that is not there', { on: 'keys', status: 404 }, 'HubNotFound', false],
    ['a role that is not given', { on: 'keys', status: 403 }, 'HubForbidden', false],
  ])('ends in its time, with a code and without a key: %s', async (_, fault, code, retryable) => {
    const { outcome, ms, keys } = await readUnder([fault]);
    expect(outcome).toBeInstanceOf(DrError);
    expect(outcome).toMatchObject({ code, retryable });
    expect(ms).toBeLessThan(1400);
    for (const key of keys) expect(JSON.stringify(outcome, Object.getOwnPropertyNames(outcome))).not.toContain(key);
  });

  test('one limit holds for all of a call: a refusal, the token after it, and the second try', async () => {
    await using emulator = await startEmulator();
    emulator.arm.setFaults([{ on: 'keys', delayMs: 300, status: 401, count: 1 }]);
    const beganAt = performance.now();
    const reading = listKeys(emulatedArm(emulator, 500), hub).catch((error: unknown) => error);
    await expect.poll(() => emulator.arm.calls.get('keys'), { interval: 5 }).toBe(1);
    emulator.arm.setFaults([{ on: 'token', hang: true }]);
    expect(await reading).toMatchObject({ code: 'HubUnavailable', retryable: true });
    expect(performance.now() - beganAt).toBeLessThan(1500);
    expect(emulator.arm.calls.get('token')).toBe(2);
  });

  test('a token that Resource Manager refuses although it has not ended: the message says what helps', async () => {
    const { outcome } = await readUnder([{ on: 'keys', status: 401 }]);
    expect(outcome).toMatchObject({
      message: expect.stringMatching(/identity's token\. If that lasts: restart the app/),
    });
  });

  test('a token that ended on the way is replaced', async () => {
    await using emulator = await startEmulator();
    const { identity } = emulator.arm;
    identity.lifeSeconds = 1;
    emulator.arm.setFaults([{ on: 'keys', delayMs: 1100, count: 1 }]);
    setTimeout(() => {
      identity.lifeSeconds = 3600;
    }, 500);
    const keys = await listKeys(emulatedArm(emulator, 3000), hub);
    expect(keys).toHaveLength(2);
    expect(emulator.arm.calls.get('token')).toBe(2);
  });
});

describe('two keys', () => {
  const keyed = (key: string) =>
    parseHubConnection(`Endpoint=sb://a.example/;SharedAccessKeyName=n;SharedAccessKey=${key}`, 'h', 'X');
  const [one, two, three] = [keyed('one'), keyed('two'), keyed('three')];
  const down = new DrError('HubUnavailable', 'down', { retryable: true });

  test('while none can be read, the second serves when the first is refused; when both are, they are waited for', async () => {
    const reads: (readonly HubConnection[] | DrError)[] = [[one, two], down, down, [three]];
    const keys = createKeys(async () => {
      const next = reads.shift() ?? down;
      if (next instanceof DrError) throw next;
      return next;
    });
    const besides = (...refused: readonly HubConnection[]) => keys.besides(refused, performance.now());
    expect(await besides()).toBe(one);
    expect(await besides()).toBe(one);
    expect(await besides(one)).toBe(two);
    expect(await besides(one)).toBe(two);
    await expect(besides(one, two)).rejects.toBe(down);
    expect(await besides(one, two)).toBe(three);
    await expect(besides(one, two, three)).rejects.toBe(down);
  });

  test('the given one is used first, and nothing is read until it is refused', async () => {
    let reads = 0;
    const keys = createKeys(async () => {
      reads += 1;
      return [two];
    }, one);
    expect([await keys.besides([], 0), reads]).toEqual([one, 0]);
    const since = performance.now();
    expect(await Promise.all([keys.besides([one], since), keys.besides([one], since)])).toEqual([two, two]);
    expect(reads).toBe(1);
  });
});
