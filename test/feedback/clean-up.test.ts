import { describe, expect, it } from 'vitest';
import { repairFolder } from '../../src/app/dual/lane.ts';
import { cleanUp } from '../../src/app/feedback/clean-up.ts';
import { readFeedbackState } from '../../src/app/feedback/state.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { numberBlobs } from '../../src/app/stored/documents.ts';
import { DrError } from '../../src/core/errors.ts';
import type { FeedbackRun } from '../../src/core/feedback/run.ts';
import { confirmedName, INTENTS_FOLDER } from '../../src/core/paths.ts';
import type { Feedback, HubRef } from '../../src/core/ports.ts';
import { keyHashOf } from '../../src/core/registration/record.ts';
import { beginRestore, codeOf, contentOf, restore } from '../support/drive.ts';
import { type EngineOptions, one } from '../support/engine.ts';
import { anAppleRow, anInstallation, register, tokenOf } from '../support/rows.ts';
import { aSyncingEngine, HOUR_MS, syncOnce } from '../support/sync.ts';
import { aDocument, createFeedbackStore, type Said } from './feedback-store.ts';

const DAY_MS = 24 * HOUR_MS;

/** Two hubs in step, and what push services say of the devices of the first. */
async function aPair(devices = 24, { policy = {}, ...options }: EngineOptions = {}) {
  const store = createFeedbackStore();
  const addressOf = ({ namespace }: HubRef): string => `https://feedback/${namespace}`;
  const sends = new Map<string, { readonly state: string; readonly errors: string | undefined }>();
  const of = (ref: HubRef): Feedback => ({
    container: async () => addressOf(ref),
    notification: async (id) => sends.get(id),
  });
  const engine = aSyncingEngine(devices, {
    policy: { feedbackCleanup: 'on', ...policy },
    wrap: (parts) => ({ feedback: { of, files: store.files }, ...options.wrap?.(parts) }),
  });
  await syncOnce(engine);
  const texts = new Map<string, string>();
  const day = () => new Date(engine.app.world.now()).toISOString().slice(0, 10);
  return {
    ...engine,
    sends,
    store,
    now: () => engine.app.world.now(),
    /** What the push service says now, through the hub in use. */
    say(...all: readonly (Omit<Said, 'at'> & Partial<Pick<Said, 'at'>>)[]): void {
      const text = all.map((said) => aDocument({ at: engine.app.world.now(), ...said })).join('\n');
      texts.set(day(), `${texts.get(day()) ?? ''}${text}`);
      store.put(addressOf(one), day(), texts.get(day()) ?? '');
    },
    clean: (asked = {}) => cleanUp(engine.app, { by: 'timer', ...asked }),
    sync: () => syncOnce(engine),
  };
}

type Pair = Awaited<ReturnType<typeof aPair>>;
const dead = (name: string) => ({ error: 'ExpiredChannel', handle: tokenOf(name) });
const itemsOf = ({ items }: FeedbackRun) => items.map(({ outcome, id }) => `${outcome} ${id}`).sort();
const holds = ({ rows }: { readonly rows: ReadonlyMap<string, string> }, name: string): boolean =>
  [...rows.values()].some((xml) => xml.includes(tokenOf(name)));
const forget = ({ rows }: Pair['primary'], name: string): void => {
  for (const [id, xml] of rows) if (xml.includes(tokenOf(name))) rows.delete(id);
};

/** A clean-up when it is said, and one when the quiet period is over. */
async function cleanAfterQuiet(pair: Pair, quietMs = DAY_MS): Promise<FeedbackRun> {
  await pair.clean();
  pair.advance(quietMs);
  return pair.clean();
}

describe('what a push service calls dead in the hub in use', () => {
  it('is gone from the standby after the quiet period, also where the hub in use keeps its rows, and not before', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'), dead('device-4'));
    expect(await pair.clean()).toMatchObject({ read: { dead: 2 }, marks: { waiting: 2 }, removed: 0, items: [] });
    pair.advance(DAY_MS - 60_000);
    expect(await pair.clean()).toMatchObject({ read: { verdicts: 0 }, removed: 0 });
    expect(holds(pair.secondary, 'device-4')).toBe(true);
    pair.advance(60_000);
    const run = await pair.clean();
    expect(run).toMatchObject({ removed: 2, marks: { waiting: 0, removed: 2 }, isPreview: false });
    expect(itemsOf(run)).toEqual(['removed 19-5-1', 'removed device-4']);
    expect([holds(pair.secondary, '19-5-1'), holds(pair.secondary, 'device-4')]).toEqual([false, false]);
    expect(holds(pair.primary, '19-5-1')).toBe(true);
    expect(pair.secondary.rows.size).toBe(pair.primary.rows.size - 3);
    expect(JSON.stringify(await readFeedbackState(pair.app))).not.toContain(tokenOf('19-5-1'));
  });

  it('is brought back by no sync and no restore, of a snapshot from before or after', async () => {
    const pair = await aPair();
    const policy = { ...pair.app.policy, standbySync: 'off' as const };
    pair.say(dead('19-5-1'), dead('device-4'));
    forget(pair.primary, 'device-4');
    await cleanAfterQuiet(pair);
    const before = contentOf(pair.secondary);
    expect(before).toHaveLength(33);
    expect(await restore({ ...pair, app: { ...pair.app, policy } })).toMatchObject({
      counts: { goneInTarget: 2, created: 0 },
    });
    expect(contentOf(pair.secondary)).toEqual(before);
    await declareRole(pair.app, { active: 'primary', confirm: 'one/devices' });
    for (let round = 0; round < 3; round += 1) {
      expect(await pair.sync()).toMatchObject({
        status: 'Succeeded',
        counts: { goneInTarget: 1, created: 0, withdrawn: 0 },
      });
      expect(contentOf(pair.secondary)).toEqual(before);
    }
    expect(await pair.app.blobs.list('_pairs/one/devices/three/devices/dead/')).toEqual([]);
  });

  it('comes back when its device registers again, whenever that is', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'));
    await cleanAfterQuiet(pair);
    await pair.sync();
    register(pair.primary, '19-5-1', ['back']);
    expect(await pair.sync()).toMatchObject({ counts: { created: 1 } });
    expect(contentOf(pair.secondary)).toEqual(contentOf(pair.primary));
  });

  it('stays where its device registered again since, or has another handle', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'), dead('39-5-1'), dead('device-4'));
    await pair.clean();
    pair.advance(HOUR_MS);
    register(pair.primary, '19-5-1', ['plain', 'n1']);
    register(pair.primary, '39-5-1', ['plain', 'n3'], 'new-handle');
    for (const [id, xml] of anInstallation('device-4', { token: tokenOf('another') })) pair.primary.rows.set(id, xml);
    pair.advance(DAY_MS);
    expect(await pair.clean()).toMatchObject({ removed: 0, due: 0, marks: { alive: 3 } });
    expect(pair.secondary.rows.size).toBe(36);
  });

  it('stays where it registered again before the feedback was read', async () => {
    const pair = await aPair();
    const saidAt = pair.now();
    pair.advance(60_000);
    register(pair.primary, '19-5-1', ['plain', 'n1']);
    pair.say({ ...dead('19-5-1'), at: saidAt });
    expect(await cleanAfterQuiet(pair)).toMatchObject({ removed: 0, marks: { unproven: 1 } });
    // Of what is as it was then a later verdict says that it is dead.
    pair.say(dead('19-5-1'));
    expect(await cleanAfterQuiet(pair)).toMatchObject({ removed: 1 });
  });

  it('stays where its device wrote in the standby since', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'));
    await pair.clean();
    register(pair.secondary, '19-5-1', ['its-own']);
    pair.advance(DAY_MS);
    expect(await pair.clean()).toMatchObject({ removed: 0, marks: { alive: 1 } });
  });

  it('stays where its backend wrote it to both hubs since', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'), dead('39-5-1'));
    await pair.clean();
    pair.advance(HOUR_MS);
    const at = new Date(pair.now()).toISOString();
    const keyHash = keyHashOf(`d:apple:${tokenOf('19-5-1')}`);
    const numbers = Float64Array.of(keyHash, pair.now());
    await numberBlobs.confirmed.write(pair.app, confirmedName(at, 'a'), { title: {}, numbers }, 'new');
    pair.advance(DAY_MS);
    const run = await pair.clean();
    expect(itemsOf(run)).toEqual(['removed 39-5-1']);
    expect(holds(pair.secondary, '19-5-1')).toBe(true);
  });

  it('is untouched where the credentials are at fault, or nothing lasting', async () => {
    const pair = await aPair();
    const handle = tokenOf('19-5-1');
    const errors = ['InvalidCredentials', 'InvalidToken', 'Throttled', 'ChannelDisconnected', 'PnsServerError', 'Odd'];
    pair.say(...errors.map((error) => ({ error, handle })));
    const run = await cleanAfterQuiet(pair);
    expect(run).toMatchObject({ removed: 0, marks: { waiting: 0 } });
    expect(pair.secondary.rows.size).toBe(36);
  });

  it('is found by its handle in installations and plain rows alike, and tiles do not keep an installation', async () => {
    const pair = await aPair();
    const shared = tokenOf('device-4');
    pair.primary.rows.set('777-1', anAppleRow({ id: '777-1', token: shared, tags: ['plain'] }));
    await pair.sync();
    pair.say(dead('device-4'));
    expect(itemsOf(await cleanAfterQuiet(pair))).toEqual(['removed 777-1', 'removed device-4']);
  });

  it('is found under either platform of Firebase', async () => {
    const pair = await aPair();
    const asFcm = (id: string) =>
      anAppleRow({ id })
        .replaceAll('AppleRegistration', 'FcmV1Registration')
        .replaceAll('DeviceToken', 'FcmV1RegistrationId');
    pair.primary.rows.set('888-1', asFcm('888-1'));
    await pair.sync();
    pair.say({ error: 'BadChannel', platform: 'gcm', handle: tokenOf('888-1') });
    expect(itemsOf(await cleanAfterQuiet(pair))).toEqual(['removed 888-1']);
    expect(await pair.sync()).toMatchObject({ counts: { created: 0, goneInTarget: 1 } });
  });

  it('of which the standby knows nothing keeps a restore from bringing it', async () => {
    const pair = await aPair();
    for (const id of ['19-5-1']) pair.secondary.rows.delete(id);
    pair.say(dead('19-5-1'));
    await cleanAfterQuiet(pair);
    expect(await pair.sync()).toMatchObject({ counts: { created: 0, goneInTarget: 1 } });
  });

  it('is removed only as it was seen', async () => {
    let isLate = false;
    const pair = await aPair(24, {
      wrap: ({ secondary }) => ({
        secondary: {
          ...secondary,
          deleteRegistration: async (id, etag, call) => {
            if (isLate) register(secondary, id, ['just-now']);
            return secondary.deleteRegistration(id, etag, call);
          },
        },
      }),
    });
    pair.say(dead('19-5-1'));
    isLate = true;
    const run = await cleanAfterQuiet(pair);
    expect(itemsOf(run)).toEqual(['changed 19-5-1']);
    expect(holds(pair.secondary, '19-5-1')).toBe(true);
    expect(await pair.app.blobs.list('_pairs/one/devices/three/devices/dead/')).toEqual([]);
  });
});

describe('a clean-up', () => {
  it('changes nothing when the same feedback is read again, and reads of a file only what was added', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'));
    await cleanAfterQuiet(pair);
    await pair.sync();
    const before = contentOf(pair.secondary);
    pair.say(dead('39-5-1'));
    expect(await pair.clean()).toMatchObject({ read: { verdicts: 1 } });
    const all = [dead('19-5-1'), dead('39-5-1')].map((said) => aDocument({ at: pair.now() - 2 * DAY_MS, ...said }));
    pair.store.put('https://feedback/one', 'again', all.join(''), 'utf16le');
    expect(await pair.clean()).toMatchObject({ read: { verdicts: 2 }, removed: 0, marks: { waiting: 1, removed: 1 } });
    expect(contentOf(pair.secondary)).toEqual(before);
  });

  it('reads a file that was written again from its start', async () => {
    const pair = await aPair();
    const put = (...all: Said[]) => pair.store.put('https://feedback/one', 'a', all.map(aDocument).join(''));
    put({ at: pair.now(), ...dead('19-5-1') });
    await pair.clean();
    put({ at: pair.now(), ...dead('39-5-1') }, { at: pair.now(), ...dead('59-5-1') });
    expect(await pair.clean()).toMatchObject({ read: { verdicts: 2 }, marks: { waiting: 3 } });
  });

  it('removes nothing of a platform of which too many die together, says so, and does when that is confirmed', async () => {
    const pair = await aPair(60);
    const names = Array.from({ length: 21 }, (_, index) => `${2 * index + 1}9-5-1`);
    pair.say(...names.map(dead));
    const run = await cleanAfterQuiet(pair);
    expect(run).toMatchObject({ removed: 0, due: 0, bursts: [{ platform: 'Apple', count: 21, most: 20 }] });
    expect(await codeOf(pair.clean({ beyondBounds: true }))).toBe('ConfirmationMissing');
    const confirmed = await pair.clean({ beyondBounds: true, confirm: 'three/devices', by: 'http' });
    expect(confirmed).toMatchObject({ removed: 21 });
  });

  it('removes nothing where more than MAX_DELETE_PERCENT is due', async () => {
    const pair = await aPair(60);
    for (let index = 0; index < 21; index += 1) {
      pair.say(dead(`${2 * index + 1}9-5-1`));
      pair.advance(HOUR_MS);
    }
    const run = await cleanAfterQuiet(pair, 2 * DAY_MS);
    expect(run).toMatchObject({ removed: 0, due: 21, bound: 20, held: 'bound', items: [] });
    expect(await pair.clean({ dryRun: true })).toMatchObject({ isPreview: true, due: 21 });
    expect(await pair.clean({ beyondBounds: true, confirm: 'three/devices' })).toMatchObject({ removed: 21 });
  });

  it('says what it would remove, where that is asked for or set, and removes nothing', async () => {
    for (const mode of ['off', 'preview'] as const) {
      const pair = await aPair(24, { policy: { feedbackCleanup: mode } });
      pair.say(dead('19-5-1'));
      const run = await cleanAfterQuiet(pair);
      expect(run).toMatchObject({ isPreview: true, removed: 0, due: 1, marks: { waiting: 1 } });
      expect(itemsOf(run)).toEqual(['wouldBeRemoved 19-5-1']);
      expect(pair.secondary.rows.size).toBe(36);
      const on = { ...pair.app, policy: { ...pair.app.policy, feedbackCleanup: 'on' as const } };
      expect(await cleanUp(on, { by: 'timer' })).toMatchObject({ removed: 1 });
    }
  });

  it('waits while a restore runs, or the role is in doubt', async () => {
    const pair = await aPair();
    pair.say(dead('19-5-1'));
    await pair.clean();
    pair.advance(DAY_MS);
    await beginRestore(pair.app);
    expect(await pair.clean()).toMatchObject({ held: 'restore', due: 1, removed: 0 });
    await pair.drain();
    expect(await pair.clean()).toMatchObject({ held: 'role', due: 1, removed: 0 });
    await declareRole(pair.app, { active: 'secondary', confirm: 'three/devices', force: true });
    expect(await pair.clean()).toMatchObject({ hub: 'three/devices', removed: 0, marks: { waiting: 0 } });
    expect([holds(pair.primary, '19-5-1'), holds(pair.secondary, '19-5-1')]).toEqual([true, true]);
  });

  it('continues where the one before ended, whenever a hub or the storage fails', async () => {
    for (let failAt = 1; failAt <= 12; failAt += 1) {
      let calls = 0;
      let isOn = false;
      const fail = () => {
        calls += 1;
        if (isOn && calls === failAt) throw new DrError('HubUnavailable', 'away', { retryable: true });
      };
      const pair = await aPair(6, {
        wrap: ({ secondary, blobs }) => ({
          secondary: {
            ...secondary,
            deleteRegistration: async (...args) => {
              fail();
              return secondary.deleteRegistration(...args);
            },
            deleteInstallation: async (...args) => {
              fail();
              return secondary.deleteInstallation(...args);
            },
            findInstallation: async (...args) => {
              fail();
              return secondary.findInstallation(...args);
            },
          },
          blobs: {
            ...blobs,
            put: async (...args) => {
              fail();
              return blobs.put(...args);
            },
          },
        }),
      });
      pair.say(dead('19-5-1'), dead('39-5-1'), dead('device-4'));
      await pair.clean();
      pair.advance(DAY_MS);
      calls = 0;
      isOn = true;
      await pair.clean().catch(() => undefined);
      isOn = false;
      pair.advance(HOUR_MS);
      await pair.clean();
      expect(pair.secondary.rows.size, `call ${failAt}`).toBe(5);
      expect(await pair.sync(), `call ${failAt}`).toMatchObject({ status: 'Succeeded', counts: { created: 0 } });
      expect(pair.secondary.rows.size, `call ${failAt}`).toBe(5);
    }
  });

  it('runs once at a time, and one that died is followed after its time', async () => {
    const pair = await aPair();
    const [first, second] = await Promise.all([codeOf(pair.clean()), codeOf(pair.clean())]);
    expect([first, second].sort()).toEqual(['RunInProgress', 'none']);
  });

  it('shows why it failed, since when', async () => {
    const pair = await aPair();
    const away: Feedback = {
      container: async () => {
        throw new DrError('HubForbidden', 'The feature is not enabled for your SKU.');
      },
      notification: async () => undefined,
    };
    const app = { ...pair.app, feedback: { of: () => away, files: pair.store.files } };
    expect(await codeOf(cleanUp(app, { by: 'timer' }))).toBe('HubForbidden');
    expect(await readFeedbackState(app)).toMatchObject({ failure: { code: 'HubForbidden' } });
    await pair.clean();
    expect((await readFeedbackState(app))?.failure).toBeUndefined();
  });

  it('processes the errors of one send', async () => {
    const pair = await aPair();
    pair.sends.set('n-1', { state: 'Completed', errors: 'https://details/1' });
    pair.sends.set('n-2', { state: 'Processing', errors: undefined });
    pair.store.put('https://details/1', '', `${aDocument({ at: pair.now(), ...dead('19-5-1') })}\n`);
    expect(await codeOf(pair.clean({ notificationId: 'unknown' }))).toBe('BadRequest');
    expect(await pair.clean({ notificationId: 'n-2' })).toMatchObject({ read: { state: 'Processing', verdicts: 0 } });
    expect(await pair.clean({ notificationId: 'n-1' })).toMatchObject({ marks: { waiting: 1 } });
    pair.advance(DAY_MS);
    expect(await pair.clean()).toMatchObject({ removed: 1 });
  });
});

describe('a new handle', () => {
  const renewed = (name: string, to: string) => ({
    error: 'RefreshToken',
    handle: tokenOf(name),
    newHandle: tokenOf(to),
  });
  const repair = async ({ app, advance }: Pair) => {
    advance(120_000);
    for (const folder of '0123456789abcdef') await repairFolder(app, { formatVersion: 1, kind: 'dualWrites', folder });
  };

  it('comes to both hubs, through chains, and not through circles', async () => {
    const pair = await aPair();
    pair.say(renewed('19-5-1', 'between'), renewed('between', 'newest'), renewed('device-4', 'fresh'));
    pair.say(renewed('39-5-1', '59-5-1'), renewed('59-5-1', '39-5-1'));
    const run = await pair.clean();
    expect(run).toMatchObject({ renewed: 2, read: { renewed: 5, circles: 2 } });
    await repair(pair);
    for (const hub of [pair.primary, pair.secondary]) {
      expect([holds(hub, 'newest'), holds(hub, 'fresh'), holds(hub, '19-5-1'), holds(hub, 'device-4')]).toEqual([
        true,
        true,
        false,
        false,
      ]);
      expect([holds(hub, '39-5-1'), holds(hub, '59-5-1')]).toEqual([true, true]);
    }
    expect(await pair.app.blobs.list(INTENTS_FOLDER)).toEqual([]);
    expect(contentOf(pair.secondary)).toEqual(contentOf(pair.primary));
  });

  it('that the hub in use has already is copied, and a third one there stays', async () => {
    const pair = await aPair();
    pair.say(renewed('19-5-1', 'newest'), renewed('39-5-1', 'other'));
    register(pair.primary, '19-5-1', ['plain', 'n1'], 'newest');
    register(pair.primary, '39-5-1', ['plain', 'n3'], 'third');
    expect(await pair.clean()).toMatchObject({ renewed: 1 });
    await repair(pair);
    expect([holds(pair.secondary, 'newest'), holds(pair.secondary, 'other')]).toEqual([true, false]);
    expect(holds(pair.primary, 'third')).toBe(true);
  });
});

it('nothing of the other hub is removed for what is said of the standby', async () => {
  const pair = await aPair();
  pair.store.put('https://feedback/three', 'a', aDocument({ at: pair.now(), ...dead('19-5-1') }));
  expect(await cleanAfterQuiet(pair)).toMatchObject({ read: { verdicts: 0 }, removed: 0 });
});
