import { describe, expect, it } from 'vitest';
import { hashOf } from '../../src/app/dual/intents.ts';
import { enqueueRepairs, parseDualStep, repairFolder } from '../../src/app/dual/lane.ts';
import { readStatus } from '../../src/app/readiness/status.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { watch } from '../../src/app/watchdog.ts';
import { type DeviceState, type Intent, intentFacts } from '../../src/core/dual/intent.ts';
import { DrError } from '../../src/core/errors.ts';
import { CONFIRMED_FOLDER, INTENTS_FOLDER, intentName, LAGS_FOLDER } from '../../src/core/paths.ts';
import { backfill } from '../../src/redundant/backfill.ts';
import { aBackedUp, codeOf, contentOf, seed } from '../support/drive.ts';
import { createEngine, type Engine, type EngineOptions, one } from '../support/engine.ts';
import { anAppleRow } from '../support/rows.ts';

const MINUTE = 60_000;

/** What a process left: a device that is to be so in both hubs. */
async function intend({ app }: Engine, id: string, state: DeviceState, change: Partial<Intent> = {}): Promise<string> {
  const device = { kind: 'registration', id } as const;
  const at = new Date(app.world.now()).toISOString();
  const intent: Intent = { device, state, at, confirmed: [], refused: [], keyHash: 7, ...change };
  const name = intentName(hashOf(device));
  await documents.intent.write(app, name, intent, 'any', intentFacts(intent));
  return name;
}

const put = (id: string): DeviceState => {
  const xml = anAppleRow({ id, tags: ['intended'] });
  return { kind: 'put', body: xml.replace(/<ETag>.*<\/RegistrationId>/, '') };
};
const folderOf = (name: string): string => name.slice(INTENTS_FOLDER.length, INTENTS_FOLDER.length + 1);

/** The queue function, on all messages that are there. */
async function deliver({ app, queue }: Engine): Promise<number> {
  const texts = queue.take();
  for (const text of texts) await repairFolder(app, parseDualStep(JSON.parse(text)));
  return texts.length;
}

function aPair(options?: EngineOptions): Engine {
  const engine = createEngine(options);
  seed(engine, 6);
  for (const [id, xml] of engine.primary.rows) engine.secondary.rows.set(id, xml);
  return engine;
}

describe('the lane of dual writes', () => {
  it('has a message for each folder in which something waits, and not a second one beside it', async () => {
    const engine = aPair();
    await enqueueRepairs(engine.app);
    expect(engine.queue.nextAt()).toBeUndefined();
    const names = await Promise.all(['a-1', 'b-1', 'c-1', 'd-1'].map((id) => intend(engine, id, put(id))));
    const folders = [...new Set(names.map(folderOf))].sort();
    await enqueueRepairs(engine.app);
    await enqueueRepairs(engine.app);
    const texts = engine.queue.take();
    expect(texts.map((text) => parseDualStep(JSON.parse(text)).folder).sort()).toEqual(folders);
    expect(await codeOf((async () => parseDualStep({ formatVersion: 1, kind: 'dualWrites', folder: '..' }))())).toBe(
      'StoredDocumentInvalid',
    );
  });

  it('brings what a dead process left to both hubs, once a call for it cannot land any more, and notes it', async () => {
    const engine = aPair();
    await intend(engine, '19-5-1', put('19-5-1'));
    await intend(engine, '39-5-1', { kind: 'delete' });
    await intend(engine, 'new-1', put('new-1'), { confirmed: ['one/devices'] });
    await enqueueRepairs(engine.app);
    await deliver(engine);
    expect(await engine.blobs.list(INTENTS_FOLDER)).toHaveLength(3);
    expect(await engine.blobs.list(LAGS_FOLDER)).not.toEqual([]);
    engine.advance(MINUTE);
    await enqueueRepairs(engine.app);
    await deliver(engine);
    expect(await engine.blobs.list(INTENTS_FOLDER)).toEqual([]);
    for (const hub of [engine.primary, engine.secondary]) {
      expect(hub.rows.get('19-5-1')).toContain('intended');
      expect(hub.rows.has('39-5-1')).toBe(false);
    }
    expect([engine.primary.rows.has('new-1'), engine.secondary.rows.has('new-1')]).toEqual([false, true]);
    expect(await engine.blobs.list(CONFIRMED_FOLDER)).not.toEqual([]);
    // What is left of the lags goes with the next look.
    await enqueueRepairs(engine.app);
    await deliver(engine);
    expect(await engine.blobs.list(LAGS_FOLDER)).toEqual([]);
    await enqueueRepairs(engine.app);
    expect(await deliver(engine)).toBe(0);
  });

  it('asks a hub that is away once a folder, brings the rest to the other, and shows how long it waits', async () => {
    let asked = 0;
    let isAway = true;
    const engine = aPair({
      wrap: ({ secondary }) => ({
        secondary: {
          ...secondary,
          putRegistration: async (...args) => {
            asked += 1;
            if (isAway) throw new DrError('HubUnavailable', 'away', { retryable: true, hasNoEffect: true });
            return secondary.putRegistration(...args);
          },
        },
      }),
      policy: { maxConcurrency: 1 },
    });
    const ids = Array.from({ length: 40 }, (_, index) => `w-${index}`);
    const names = await Promise.all(ids.map((id) => intend(engine, id, put(id))));
    const folders = new Set(names.map(folderOf)).size;
    engine.advance(MINUTE);
    await watch(engine.app);
    for (const text of engine.queue.take()) {
      if (text.includes('dualWrites')) await repairFolder(engine.app, parseDualStep(JSON.parse(text)));
    }
    expect(asked).toBe(folders);
    expect(ids.every((id) => engine.primary.rows.has(id))).toBe(true);
    engine.advance(11 * MINUTE);
    await watch(engine.app);
    const status = await readStatus(engine.app);
    expect(status).toMatchObject({ dualWrites: { waiting: 40, refused: 0 } });
    const finding = status.findings.find(({ code }) => code === 'DualWritesLag');
    expect(finding?.message).toContain(
      'Written by backends, and waiting for a hub: 40 devices, the oldest for 12 minutes',
    );
    expect(engine.notifier.alerts.map(({ code }) => code)).toContain('DualWritesLag');
    isAway = false;
    await enqueueRepairs(engine.app);
    for (const text of engine.queue.take()) {
      if (text.includes('dualWrites')) await repairFolder(engine.app, parseDualStep(JSON.parse(text)));
    }
    expect(await engine.blobs.list(INTENTS_FOLDER)).toEqual([]);
    await watch(engine.app);
    expect((await readStatus(engine.app)).dualWrites).toBeNull();
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('keeps what a hub refuses for a day, counted, while all else is repaired', async () => {
    const engine = aPair();
    engine.secondary.intercept = (_, id) =>
      id === 'bad' ? { kind: 'rejected', status: 400, reason: 'Rejected' } : undefined;
    await intend(engine, 'bad', put('bad'));
    await intend(engine, 'good', put('good'));
    engine.advance(MINUTE);
    await enqueueRepairs(engine.app);
    await deliver(engine);
    expect(engine.secondary.rows.has('good')).toBe(true);
    await watch(engine.app);
    expect(await readStatus(engine.app)).toMatchObject({ dualWrites: { waiting: 0, refused: 1 } });
    engine.secondary.intercept = () => undefined;
    engine.advance(25 * 60 * MINUTE);
    await enqueueRepairs(engine.app);
    await deliver(engine);
    expect(engine.secondary.rows.has('bad')).toBe(true);
  });
});

it('backfill copies what the other hub has not, from what the hub in use holds now, and stores nothing over an intent', async () => {
  const engine = await aBackedUp(8);
  const { app, primary, secondary } = engine;
  const role = { active: one, standby: secondary.ref, since: '', history: [] };
  primary.rows.delete('19-5-1');
  secondary.rows.set('39-5-1', primary.rows.get('39-5-1') ?? '');
  await intend(engine, '59-5-1', put('59-5-1'));
  const parts = { ...app, hubs: [primary, secondary] };
  expect(await backfill(parts, role)).toMatchObject({ there: 2, added: 5, gone: 1, queued: 0 });
  expect(secondary.rows.has('19-5-1')).toBe(false);
  expect((await engine.blobs.list(INTENTS_FOLDER)).length).toBe(1);
  // Again: nothing is left to do.
  expect(await backfill(parts, role)).toMatchObject({ there: 7, added: 0, gone: 1 });
});
