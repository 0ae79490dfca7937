import { describe, expect, it } from 'vitest';
import { readWords } from '../../src/app/dual/words.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { advanceSync } from '../../src/app/standby-sync.ts';
import { documents, numberBlobs } from '../../src/app/stored/documents.ts';
import { type Intent, intentFacts } from '../../src/core/dual/intent.ts';
import { confirmedName, intentName } from '../../src/core/paths.ts';
import { keyHashOf } from '../../src/core/registration/record.ts';
import { syncRunId } from '../../src/core/run/sync.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import { type Engine, three } from '../support/engine.ts';
import { register, tokenOf } from '../support/rows.ts';
import { aSyncingEngine, HOUR_MS, syncOnce, withoutSyncs } from '../support/sync.ts';

const keyOf = (id: string): number => keyHashOf(`d:apple:${tokenOf(id)}`);

/** A backend writes a device to both hubs, or deletes it from them, and both confirm. */
async function write({ app, primary, secondary }: Engine, ids: readonly string[], tags?: readonly string[]) {
  for (const id of ids) {
    for (const hub of [primary, secondary]) {
      if (tags === undefined) hub.rows.delete(id);
      else register(hub, id, tags);
    }
  }
  const nowMs = app.world.now();
  const numbers = Float64Array.from(ids.flatMap((id) => [keyOf(id), nowMs]));
  const name = confirmedName(new Date(nowMs).toISOString(), app.world.newSuffix());
  await numberBlobs.confirmed.write(app, name, { title: {}, numbers }, 'new');
}

const many = Array.from({ length: 30 }, (_, index) => `${2 * index + 1}9-5-1`);

describe('a sync beside dual writes', () => {
  it.each([
    ['changed', ['by-its-backend'], { keptLive: 30, goneInTarget: 0 }],
    ['removed', undefined, { keptLive: 0, goneInTarget: 30 }],
  ] as const)(
    'takes many devices that a backend %s in both hubs for no drift, and changes none of them',
    async (...given) => {
      const [, tags, counts] = given;
      const engine = aSyncingEngine(60);
      await syncOnce(engine);
      engine.advance(HOUR_MS);
      const snapshot = await backUp(withoutSyncs(engine));
      await write(engine, many, tags);
      const before = contentOf(engine.secondary);
      await advanceSync(engine.app);
      await engine.drain();
      const view = await readRestoreView(engine.app, syncRunId(snapshot));
      expect(view).toMatchObject({ status: 'Succeeded', counts: { updated: 0, created: 0, withdrawn: 0, ...counts } });
      expect(contentOf(engine.secondary)).toEqual(before);
      expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    },
  );

  it('takes many new ones for no drift, and what others change for drift all the same', async () => {
    const engine = aSyncingEngine(60);
    await syncOnce(engine);
    const snapshot = await backUp(withoutSyncs(engine));
    const ids = Array.from({ length: 30 }, (_, index) => `new-${index}-1`);
    await write(engine, ids, ['new']);
    await advanceSync(engine.app);
    await engine.drain();
    const view = await readRestoreView(engine.app, syncRunId(snapshot));
    expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 0, withdrawn: 0 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    for (const id of many) register(engine.secondary, id, ['its-own']);
    engine.advance(60_000);
    await write(engine, ['1009-5-1'], ['one']);
    expect(await syncOnce(engine)).toMatchObject({ error: { code: 'SyncStopped' } });
  });

  it('of a snapshot from before brings back nothing that was deleted, and overwrites nothing that was written since', async () => {
    const engine = aSyncingEngine(40);
    await syncOnce(engine);
    engine.advance(HOUR_MS);
    const held = withoutSyncs(engine);
    await backUp(held);
    engine.advance(60_000);
    await write(engine, ['19-5-1', '39-5-1'], undefined);
    await write(engine, ['59-5-1'], ['newer']);
    await write(engine, ['7779-5-1'], ['new']);
    const before = contentOf(engine.secondary);
    const view = await restore(held);
    expect(view).toMatchObject({ counts: { created: 0, updated: 0, goneInTarget: 2, keptLive: 1, onlyInTarget: 1 } });
    expect(contentOf(engine.secondary)).toEqual(before);
    await declareRole(engine.app, { active: 'primary', confirm: 'one/devices' });
    for (let round = 0; round < 2; round += 1) {
      expect(await syncOnce(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 0, withdrawn: 0 } });
      expect(contentOf(engine.secondary)).toEqual(before);
      expect(contentOf(engine.primary)).toEqual(before);
    }
  });

  it('brings nothing back that the standby has confirmed while the hub in use was away', async () => {
    const engine = aSyncingEngine(40);
    await syncOnce(engine);
    const held = withoutSyncs(engine);
    await backUp(held);
    engine.advance(60_000);
    engine.secondary.rows.delete('19-5-1');
    const intent: Intent = {
      device: { kind: 'registration', id: '19-5-1' },
      state: { kind: 'delete' },
      at: new Date(engine.app.world.now()).toISOString(),
      confirmed: ['three/devices'],
      refused: [],
      keyHash: keyOf('19-5-1'),
    };
    // Earlier versions of the library noted no key beside it.
    for (const [digit, facts] of [
      ['a', intentFacts(intent)],
      ['b', { at: intent.at }],
    ] as const) {
      await documents.intent.write(engine.app, intentName(digit.repeat(64)), intent, 'any', facts);
    }
    expect((await readWords(engine.app, three, 0)).isWaiting(keyOf('19-5-1'))).toBe(true);
    expect(await restore(held)).toMatchObject({ counts: { created: 0, goneInTarget: 1 } });
    expect(engine.secondary.rows.has('19-5-1')).toBe(false);
  });

  it('a failback leaves what its backend wrote to both hubs since the snapshot', async () => {
    const engine = aSyncingEngine(40);
    await syncOnce(engine);
    await restore(withoutSyncs(engine), { activate: true, confirm: 'three/devices' });
    engine.advance(HOUR_MS);
    register(engine.secondary, '19-5-1', ['before-its-backend']);
    register(engine.secondary, '39-5-1', ['after-the-failover']);
    await backUp(withoutSyncs(engine));
    engine.advance(60_000);
    await write(engine, ['19-5-1'], ['newest']);
    const newest = engine.primary.rows.get('19-5-1');
    const view = await restore(withoutSyncs(engine));
    expect(view).toMatchObject({ counts: { keptLive: 1, updated: 1 } });
    expect(engine.primary.rows.get('19-5-1')).toEqual(newest);
  });

  it('a standby that was emptied is filled, whatever was written to both hubs before', async () => {
    const engine = aSyncingEngine(60);
    await syncOnce(engine);
    const held = withoutSyncs(engine);
    await backUp(held);
    await write(engine, many.slice(0, 10), ['written']);
    engine.secondary.rows.clear();
    expect(await restore(held)).toMatchObject({ counts: { created: 60 } });
  });
});
