import { describe, expect, it } from 'vitest';
import { asSent } from '../../src/app/dual/hub.ts';
import { hashOf } from '../../src/app/dual/intents.ts';
import { repairFolder } from '../../src/app/dual/lane.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { CALL_MS, type Device, type DeviceState, type Intent, intentFacts } from '../../src/core/dual/intent.ts';
import { DrError } from '../../src/core/errors.ts';
import { INTENTS_FOLDER, intentName } from '../../src/core/paths.ts';
import { descriptionForWrite } from '../../src/core/registration/registration.ts';
import { RedundantHubError } from '../../src/redundant/error.ts';
import { PairWrites } from '../../src/redundant/pair-writes.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

const phone: Device = { kind: 'installation', id: 'phone' };
const call = { deadlineAt: Number.POSITIVE_INFINITY };
const confirmed = ['one/devices'];

const bodyWith = (...tags: readonly string[]): string =>
  JSON.stringify({ installationId: 'phone', platform: 'apns', pushChannel: tokenOf('phone'), tags });
const put = (...tags: readonly string[]): DeviceState => ({ kind: 'put', body: bodyWith(...tags) });
const plain = (id: string, template?: { name: string; body: string }): DeviceState => ({
  kind: 'put',
  body: descriptionForWrite(anAppleRow({ id, tags: [id], token: tokenOf('both'), ...(template && { template }) })),
});
const moreTag: DeviceState = { kind: 'patch', operations: [{ op: 'add', path: '/tags', value: 'more' }] };

/** What a process left, whose calls can have landed by now; then the queue function for its folder. */
async function repair(engine: Engine, device: Device, state: DeviceState, change: Partial<Intent> = {}): Promise<void> {
  const { app } = engine;
  const at = new Date(app.world.now()).toISOString();
  const intent: Intent = { device, state, at, confirmed: [], refused: [], ...change };
  await documents.intent.write(app, intentName(hashOf(device)), intent, 'any', intentFacts(intent));
  await repairAgain(engine, device);
}

/** A minute later. */
async function repairAgain(engine: Engine, device: Device): Promise<void> {
  engine.advance(CALL_MS);
  const folder = intentName(hashOf(device)).slice(INTENTS_FOLDER.length, INTENTS_FOLDER.length + 1);
  await repairFolder(engine.app, { formatVersion: 1, kind: 'dualWrites', folder });
}

const tagsIn = ({ rows }: MemoryHub): string[] =>
  [...rows.values()]
    .flatMap((xml) => /<Tags>([^<]*)</.exec(xml)?.[1]?.split(',') ?? [])
    .filter((tag) => !tag.startsWith('$'));
const left = async ({ blobs }: Engine): Promise<number> => (await blobs.list(INTENTS_FOLDER)).length;

describe('repairs of dual writes', () => {
  it('send a patch to the hub that missed it, also while the other does not show the device yet', async () => {
    const engine = createEngine({
      wrap: ({ primary }) => ({ primary: { ...primary, findInstallation: async () => [] } }),
    });
    for (const hub of [engine.primary, engine.secondary]) await hub.putInstallation('phone', bodyWith('first'), call);
    await repair(engine, phone, moreTag, { confirmed });
    expect(tagsIn(engine.secondary)).toEqual(['first', 'more']);
    expect(await left(engine)).toBe(0);
  });

  it('copy the device where the hub that missed a patch has none', async () => {
    const engine = createEngine();
    await engine.primary.putInstallation('phone', bodyWith('first', 'more'), call);
    await repair(engine, phone, moreTag, { confirmed });
    await repairAgain(engine, phone);
    expect(tagsIn(engine.secondary)).toEqual(['first', 'more']);
    expect(await left(engine)).toBe(0);
  });

  it('bring back what a late deletion has removed, though the hub ignores the same PUT', async () => {
    const engine = createEngine();
    const { secondary, app } = engine;
    secondary.ignoresIdenticalPuts = true;
    await secondary.putInstallation('phone', bodyWith('only'), call);
    await secondary.deleteInstallation('phone', call);
    const quietUntil = new Date(app.world.now()).toISOString();
    await repair(engine, phone, put('only'), { quietUntil });
    expect([tagsIn(engine.primary), tagsIn(secondary)]).toEqual([['only'], ['only']]);
    expect([...secondary.rows.values()].join()).not.toContain('9998');
  });

  it('carry out again what was repeated, once the attempt before can have landed', async () => {
    let attempts = 0;
    const engine = createEngine({
      wrap: ({ secondary }) => ({
        secondary: {
          ...secondary,
          putInstallation: async (id, json, options) => {
            attempts += 1;
            if (attempts === 1) options.onRepeated?.();
            return secondary.putInstallation(id, json, options);
          },
        },
      }),
    });
    await repair(engine, phone, put('newest'));
    // The attempt before, of what was intended before.
    await engine.secondary.putInstallation('phone', bodyWith('older'), call);
    expect(await left(engine)).toBe(1);
    await repairAgain(engine, phone);
    expect(tagsIn(engine.secondary)).toEqual(['newest']);
    expect(await left(engine)).toBe(0);
  });

  it('ask a hub again within a minute that did not answer, though the other has refused', async () => {
    let isAway = true;
    const engine = createEngine({
      wrap: ({ primary }) => ({
        primary: {
          ...primary,
          putInstallation: async (...args) => {
            if (isAway) throw new DrError('HubUnavailable', 'away', { retryable: true });
            return primary.putInstallation(...args);
          },
        },
      }),
    });
    engine.secondary.intercept = () => ({ kind: 'rejected', status: 400, reason: 'Rejected' });
    await repair(engine, phone, put('mine'));
    isAway = false;
    await repairAgain(engine, phone);
    expect(tagsIn(engine.primary)).toEqual(['mine']);
  });

  it('go back to what was intended before where the hub in use refuses what came after', async () => {
    const engine = createEngine();
    for (const hub of [engine.primary, engine.secondary]) {
      await hub.putInstallation('phone', bodyWith('old'), call);
      hub.intercept = (_, __, json) =>
        json.includes('bad') ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    }
    await repair(engine, phone, put('bad'), { before: [put('new'), put('bad', 'too')] });
    for (let round = 0; round < 2; round += 1) await repairAgain(engine, phone);
    expect([tagsIn(engine.primary), tagsIn(engine.secondary)]).toEqual([['new'], ['new']]);
    expect(await left(engine)).toBe(0);
  });

  it('give each registration of one device a row of its own in a hub that takes no foreign ids', async () => {
    const engine = createEngine();
    engine.secondary.refusesForeignIds = true;
    const [native, template, again] = ['1-1-1', '2-2-2', '3-3-3'].map((id): Device => ({ kind: 'registration', id }));
    if (native === undefined || template === undefined || again === undefined) throw new Error('three devices');
    await repair(engine, native, plain(native.id));
    await repair(engine, template, plain(template.id, { name: 't', body: '{}' }));
    expect(tagsIn(engine.secondary).sort()).toEqual(['1-1-1', '2-2-2']);
    // Its backend registers it under another id, and deletes the first one late.
    await repair(engine, again, plain(again.id));
    await repair(engine, native, { kind: 'delete' });
    expect(tagsIn(engine.secondary).sort()).toEqual(['2-2-2', '3-3-3']);
  });
});

it('a call of which an attempt had no answer may land, whatever the last attempt came to', async () => {
  const error = new DrError('HubUnavailable', 'refused', { retryable: true, hasNoEffect: true });
  const fail = async (): Promise<never> => {
    throw error;
  };
  expect(await asSent(fail)).toMatchObject({ kind: 'failed', isLanding: false });
  const repeated = asSent((onRepeated) => {
    onRepeated();
    return fail();
  });
  expect(await repeated).toMatchObject({ kind: 'failed', isLanding: true });
});

it('a registration whose deletion cannot be stored is answered with an error of the library', async () => {
  const { app, primary, secondary } = createEngine();
  const down = async (): Promise<never> => {
    throw new DrError('StorageUnavailable', 'The storage does not answer.', { retryable: true });
  };
  const blobs = { ...app.blobs, get: down, put: down };
  const pair = new PairWrites({ ...app, blobs, hubs: [primary, secondary], waitForOtherMs: 0 });
  const failed = await pair.deleteRegistration('1-1-1').catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(RedundantHubError);
  expect(failed).toMatchObject({ code: 'StorageUnavailable', isQueued: false });
  await pair.close();
});
