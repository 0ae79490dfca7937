import { describe, expect, it } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { readMarks } from '../../src/app/snapshots/marks.ts';
import type { Hub } from '../../src/core/ports.ts';
import { aBackedUp, backUp, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import type { MemoryHub } from '../support/memory-hub.ts';
import { anAppleRow } from '../support/rows.ts';

/** What a device does in a hub by itself: its row with other tags, and a higher ETag. */
function retag(hub: Engine['primary'], id: string, tags: readonly string[]): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(hub.rows.get(id) ?? '')?.[1] ?? '0';
  const etag = Number(before) + 1;
  hub.rows.set(id, anAppleRow({ id, tags, etag }));
}

describe('a target that an earlier restore has filled', () => {
  it('gets what devices changed in the source since', async () => {
    const engine = await aBackedUp();
    expect((await restore(engine)).counts).toMatchObject({ created: 24 });
    retag(engine.primary, '19-5-1', ['changed']);
    await backUp(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 24, updated: 1, unchanged: 23 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('loses what devices removed in the source since', async () => {
    const engine = await aBackedUp();
    await restore(engine);
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 24, withdrawn: 1, unchanged: 23 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('keeps what a device changed there', async () => {
    const engine = await aBackedUp();
    await restore(engine);
    retag(engine.secondary, '19-5-1', ['its own']);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { keptLive: 1, unchanged: 23 } });
    retag(engine.primary, '19-5-1', ['both']);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { updated: 1, unchanged: 23 } });
  });

  it('does the same when the same restore runs again', async () => {
    const engine = await aBackedUp();
    for (let run = 0; run < 3; run++) await restore(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({ counts: { total: 24, unchanged: 24 }, passes: 1 });
  });
});

describe('a target that stores something else than it was sent', () => {
  it('ends the restore by name, without a proof', async () => {
    const engine = createEngine({ wrap: ({ secondary }) => ({ secondary: withoutTags(secondary) }) });
    for (let index = 0; index < 50; index++) {
      const id = `${index}9-5-1`;
      engine.primary.rows.set(id, anAppleRow({ id, tags: ['plain', `n${index}`] }));
    }
    const snapshotId = await backUp(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Failed', error: { code: 'TargetAltersRecords' }, changedSince: 50 });
    const proof = async () => (await readMarks(engine.app, engine.app.primary.ref)).get(snapshotId)?.proof;
    expect(await proof()).toBeUndefined();
    expect(await restore(engine)).toMatchObject({ counts: { unknownOrigin: 50 } });
    expect(await proof()).toBeUndefined();
  });

  it.each([1, 2])('does so however little was written: %i records', async (amount) => {
    const engine = createEngine({ wrap: ({ secondary }) => ({ secondary: withoutTags(secondary) }) });
    for (let index = 0; index < amount; index++) {
      const id = `${index}9-5-1`;
      engine.primary.rows.set(id, anAppleRow({ id, tags: ['plain'] }));
    }
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Failed', error: { code: 'TargetAltersRecords' } });
    // By now it cannot be known whose rows these are.
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unknownOrigin: amount } });
  });

  it('does so, too, when what it altered was there before', async () => {
    let alters = false;
    const engine = createEngine({
      wrap: ({ secondary }) => {
        const altering = withoutTags(secondary);
        return {
          secondary: {
            ...secondary,
            putRegistration: (...args) => (alters ? altering : secondary).putRegistration(...args),
          },
        };
      },
    });
    seed(engine);
    await backUp(engine);
    await restore(engine);
    retag(engine.primary, '19-5-1', ['changed']);
    await backUp(engine);
    alters = true;
    expect(await restore(engine)).toMatchObject({ status: 'Failed', error: { code: 'TargetAltersRecords' } });
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { conflict: 1, unchanged: 23 } });
  });

  it('is rid of it all by a rollback, but for what a device has changed since', async () => {
    const engine = createEngine({ wrap: ({ secondary }) => ({ secondary: withoutTags(secondary) }) });
    for (let index = 0; index < 50; index++) {
      const id = `${index}9-5-1`;
      engine.primary.rows.set(id, anAppleRow({ id, tags: ['plain', `n${index}`] }));
    }
    await backUp(engine);
    const { id } = await restore(engine);
    const own = anAppleRow({ id: '79-5-1', tags: ['own'], etag: 2 });
    engine.secondary.rows.set('79-5-1', own);
    const rollback = await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    const view = await readRestoreView(engine.app, rollback.id);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { removed: 49, keptLive: 1 } });
    expect(engine.secondary.rows).toEqual(new Map([['79-5-1', own]]));
  });
});

function withoutTags(hub: MemoryHub): Hub {
  return {
    ...hub,
    putRegistration: (id, xml, options) => hub.putRegistration(id, xml.replace(/<Tags>.*<\/Tags>/, ''), options),
  };
}
