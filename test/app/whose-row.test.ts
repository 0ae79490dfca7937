import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { aBackedUp, aRehearsed, backUp, codeOf, contentOf, restore, seed } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { runs } from '../support/property-runs.ts';
import { anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

type Rows = Engine['primary']['rows'];

/** A device's own word: its row under that id, whatever was there, with a higher ETag. */
function register(rows: Rows, id: string, handle: string, tags: readonly string[], expirationTime?: string): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(rows.get(id) ?? '')?.[1] ?? '0';
  const time = expirationTime === undefined ? {} : { expirationTime };
  rows.set(id, anAppleRow({ id, token: tokenOf(handle), tags, etag: Number(before) + 1, ...time }));
}

describe('a handle that changed under its registration id', () => {
  it('in the target after a restore is not overwritten by the dead one', async () => {
    const engine = await aRehearsed();
    register(engine.secondary.rows, '19-5-1', 'new phone', ['plain']);
    const before = new Map(engine.secondary.rows);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1, unchanged: 23 } });
    expect(engine.secondary.rows).toEqual(before);
  });

  it('in the target before a first restore is not overwritten', async () => {
    const engine = createEngine();
    seed(engine);
    register(engine.secondary.rows, '19-5-1', 'new phone', ['plain']);
    const own = engine.secondary.rows.get('19-5-1');
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1, created: 23 } });
    expect(engine.secondary.rows.get('19-5-1')).toBe(own);
  });

  it('which the hubs have agreed on since is not overwritten from an older snapshot', async () => {
    for (const asked of [
      { leftovers: 'keep' },
      { resurrect: true },
      { onConflict: 'overwrite', confirm: 'three/devices' },
    ]) {
      const engine = createEngine();
      seed(engine);
      const snapshot = await backUp(engine);
      register(engine.primary.rows, '19-5-1', 'new phone', ['plain']);
      await backUp(engine);
      await restore(engine);
      const before = new Map(engine.secondary.rows);
      const view = await restore(engine, { snapshot, leftovers: 'keep', ...asked });
      expect(view).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1, conflict: 1, unchanged: 23 } });
      expect(engine.secondary.rows).toEqual(before);
    }
  });

  it('between two passes is not overwritten', async () => {
    const engine = await aBackedUp();
    // The device is faster than the look of the second pass.
    const { listPage } = engine.secondary;
    let listings = 0;
    engine.secondary.listPage = (token, call) => {
      listings += 1;
      if (listings === 2) register(engine.secondary.rows, '19-5-1', 'new phone', ['plain']);
      return listPage(token, call);
    };
    await restore(engine);
    expect(engine.secondary.rows.get('19-5-1')).toContain(tokenOf('new phone'));
  });

  it('in the primary is not overwritten by a repair of it', async () => {
    const engine = await aRehearsed();
    register(engine.primary.rows, '19-5-1', 'new phone', ['plain']);
    const before = new Map(engine.primary.rows);
    const view = await restore(engine, { target: 'primary', confirm: 'one/devices' });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1, unchanged: 23 } });
    expect(engine.primary.rows).toEqual(before);
  });

  it.each([false, true])(
    'in the source is one move, and pushes reach the device once; ids refused: %s',
    async (refuses) => {
      const engine = await aRehearsed(24, { refusesForeignIds: refuses });
      register(engine.primary.rows, '19-5-1', 'new phone', ['plain']);
      await backUp(engine);
      expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { failed: 0 } });
      expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
    },
  );
});

it('a plain row of a rehearsal gives way to the installation that took its handle', async () => {
  const engine = await aRehearsed();
  engine.primary.rows.delete('19-5-1');
  for (const [id, xml] of anInstallation('upgraded', { tags: ['news'], token: tokenOf('19-5-1') })) {
    engine.primary.rows.set(id, xml);
  }
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1, withdrawn: 1 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

it('a registration renewed in the source is renewed in the target', async () => {
  const engine = createEngine();
  register(engine.primary.rows, '1-1-1', 'phone', ['a'], '2026-12-10T00:00:00Z');
  await backUp(engine);
  register(engine.secondary.rows, '1-1-1', 'phone', ['a'], '2026-12-10T00:00:00Z');
  register(engine.primary.rows, '1-1-1', 'phone', ['a'], '2027-01-10T00:00:00Z');
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { renewed: 1, total: 1 } });
  expect(await restore(engine)).toMatchObject({ counts: { unchanged: 1 } });
});

it('a registration that never expires in the source is renewed in a target that lets it end soon', async () => {
  const engine = createEngine();
  register(engine.primary.rows, '1-1-1', 'phone', ['a']);
  register(engine.primary.rows, '3-1-1', 'other phone', ['a']);
  await backUp(engine);
  const inDays = (days: number): string => new Date(engine.app.world.now() + days * 86_400_000).toISOString();
  register(engine.secondary.rows, '1-1-1', 'phone', ['a'], inDays(13));
  register(engine.secondary.rows, '3-1-1', 'other phone', ['a'], inDays(15));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { renewed: 1, unchanged: 1 } });
});

it('an installation that never expires in the source is renewed by a write that no hub takes for the same', async () => {
  const engine = createEngine();
  for (const [id, xml] of anInstallation('phone')) engine.primary.rows.set(id, xml);
  await backUp(engine);
  const bodies = new Set<string>();
  engine.secondary.intercept = (_kind, _id, body) => void bodies.add(body);
  await restore(engine);
  const soon = new Date(engine.app.world.now() + 5 * 86_400_000).toISOString();
  for (const [id, xml] of engine.secondary.rows) {
    engine.secondary.rows.set(id, xml.replace(/<ExpirationTime>[^<]*/, `<ExpirationTime>${soon}`));
  }
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { renewed: 1, failed: 0 } });
  expect(bodies.size).toBe(2);
});

describe('a hub that lost its rows is filled', () => {
  it('when it is the target of a rehearsal, made again since', async () => {
    const engine = await aRehearsed();
    engine.secondary.rows.clear();
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 24 }, absenceVoid: 24 });
    expect(view.warnings).toContainEqual(
      expect.stringContaining('Missing in the target: 24 records that both hubs held'),
    );
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it('when it is the primary, in place, and the pair agrees again after', async () => {
    const engine = await aRehearsed();
    const all = contentOf(engine.primary);
    engine.primary.rows.clear();
    await restore(engine, { target: 'primary', confirm: 'one/devices' });
    expect(contentOf(engine.primary)).toEqual(all);
    await backUp(engine);
    expect(await restore(engine)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
  });
});

describe('what the source no longer holds', () => {
  it('stays where it is more than the bound', async () => {
    const engine = await aRehearsed(140);
    for (let index = 1; index < 46; index += 2) engine.primary.rows.delete(`${index}9-5-1`);
    await backUp(engine);
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { leftover: 23, withdrawn: 0, unchanged: 117 } });
    expect(view.warnings).toContainEqual(
      expect.stringContaining('23 records of the target are no longer in the snapshot'),
    );
  });

  it.each([false, true])(
    'stays while the source still has it, whatever its listing said; ids refused: %s',
    async (refuses) => {
      const engine = await aRehearsed(24, { refusesForeignIds: refuses });
      const xml = engine.primary.rows.get('19-5-1') ?? '';
      engine.primary.rows.delete('19-5-1');
      await backUp(engine);
      engine.primary.rows.set('19-5-1', xml);
      expect(await restore(engine)).toMatchObject({ counts: { leftover: 1, withdrawn: 0 } });
    },
  );

  it('stays while the source is empty and only its newest snapshot is without it', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    engine.primary.rows.clear();
    expect(await restore(engine)).toMatchObject({ counts: { leftover: 1, withdrawn: 0 } });
  });

  it('stays while the source is empty, whatever pages it gives', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    engine.primary.rows.clear();
    const { listPage } = engine.primary;
    engine.primary.listPage = async (token, options) =>
      token === undefined ? { rows: [], nextToken: '0' } : listPage(token, options);
    expect(await restore(engine)).toMatchObject({ counts: { leftover: 1, withdrawn: 0 } });
  });

  it('stays when the request says so', async () => {
    const engine = await aRehearsed();
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    expect(await restore(engine, { leftovers: 'keep' })).toMatchObject({ counts: { leftover: 1, withdrawn: 0 } });
  });

  it('comes back with an older snapshot only when asked for', async () => {
    const engine = await aRehearsed();
    const [older = ''] = [(await restore(engine)).snapshot.id];
    engine.primary.rows.delete('19-5-1');
    await backUp(engine);
    await restore(engine);
    expect(await restore(engine, { snapshot: older })).toMatchObject({ counts: { goneInTarget: 1, created: 0 } });
    expect(await restore(engine, { snapshot: older, resurrect: true })).toMatchObject({ counts: { created: 1 } });
  });
});

it('a row that its source has overtaken is in no way of the handle that its registration id has by now', async () => {
  const engine = await aRehearsed();
  register(engine.secondary.rows, '19-5-1', '19-5-1', ['its own']);
  await restore(engine);
  register(engine.primary.rows, '19-5-1', 'new phone', ['plain']);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ counts: { created: 1, withdrawn: 1, keptLive: 0 } });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(await restore(engine)).toMatchObject({ counts: { unchanged: 24, total: 24 } });
});

describe('a row that differs on both sides', () => {
  const aConflict = async (): Promise<Engine> => {
    const engine = await aRehearsed();
    register(engine.secondary.rows, '19-5-1', '19-5-1', ['there']);
    register(engine.primary.rows, '19-5-1', '19-5-1', ['here']);
    await backUp(engine);
    return engine;
  };

  it('is a conflict and stays', async () => {
    const engine = await aConflict();
    const before = new Map(engine.secondary.rows);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { conflict: 1, unchanged: 23 } });
    expect(engine.secondary.rows).toEqual(before);
  });

  it('is overwritten where the request says so', async () => {
    const engine = await aConflict();
    expect(await codeOf(restore(engine, { onConflict: 'overwrite' }))).toBe('ConfirmationMissing');
    const view = await restore(engine, { onConflict: 'overwrite', confirm: 'three/devices' });
    expect(view).toMatchObject({ status: 'Succeeded', counts: { updated: 1, unchanged: 23 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });
});

it('a dry run shows what would become of each record, and writes nothing', async () => {
  const engine = await aRehearsed();
  register(engine.primary.rows, '19-5-1', '19-5-1', ['changed']);
  engine.primary.rows.delete('39-5-1');
  await backUp(engine);
  const before = new Map(engine.secondary.rows);
  expect(await restore(engine, { dryRun: true })).toMatchObject({
    counts: { updated: 1, withdrawn: 1, unchanged: 22 },
  });
  expect(engine.secondary.rows).toEqual(before);
});

describe('a baseline that cannot be used', () => {
  const aChanged = async (): Promise<Engine> => {
    const engine = await aRehearsed();
    await restore(engine);
    register(engine.primary.rows, '19-5-1', '19-5-1', ['changed']);
    engine.primary.rows.delete('39-5-1');
    await backUp(engine);
    return engine;
  };
  const shardsOf = async (engine: Engine): Promise<Map<string, string[]>> => {
    const entries = (await engine.blobs.list('_pairs/')).filter(({ name }) => /\/baselines\/[^/]+\/\d{4}$/.test(name));
    return Map.groupBy(
      entries.map(({ name }) => name),
      (name) => name.split('/').at(-2) ?? '',
    );
  };

  it('damaged, is read as the run before left it', async () => {
    const engine = await aChanged();
    const newest = [...(await shardsOf(engine))].at(-1)?.[1] ?? [];
    for (const name of newest) await engine.blobs.put(name, Buffer.from('damaged'), 'any');
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, withdrawn: 1 } });
    expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  });

  it.each(['removed', 'damaged'])('%s altogether, deletes and overwrites nothing, and says so', async (how) => {
    const engine = await aChanged();
    const before = new Map(engine.secondary.rows);
    for (const { name } of await engine.blobs.list('_pairs/')) {
      if (name.endsWith('/role.json')) continue;
      if (how === 'removed') await engine.blobs.remove(name);
      else await engine.blobs.put(name, Buffer.from('damaged'), 'any');
    }
    const view = await restore(engine);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { unknownOrigin: 1, onlyInTarget: 1, unchanged: 22 } });
    expect(view.warnings).toContainEqual(expect.stringContaining('no baseline yet'));
    expect(engine.secondary.rows).toEqual(before);
  });
});

describe('a rollback', () => {
  it.each(['19-5-1', 'device-0'])('puts back what the restore overwrote: %s', async (which) => {
    const engine = await aRehearsed();
    if (which === '19-5-1') register(engine.primary.rows, which, which, ['changed']);
    else
      for (const [id, xml] of anInstallation(which, { tags: ['changed'] }))
        engine.primary.rows.set(id, xml.replace('<ETag>1<', '<ETag>2<'));
    await backUp(engine);
    const before = contentOf(engine.secondary);
    const { id, counts } = await restore(engine);
    expect(counts).toMatchObject({ updated: 1, unchanged: 23 });
    const { id: undoneBy } = await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    const view = await readRestoreView(engine.app, undoneBy);
    expect(view).toMatchObject({ status: 'Succeeded', counts: { total: 1, putBack: 1 } });
    expect(contentOf(engine.secondary)).toEqual(before);
  });

  it('leaves what its device changed after the restore overwrote it', async () => {
    const engine = await aRehearsed();
    register(engine.primary.rows, '19-5-1', '19-5-1', ['changed']);
    await backUp(engine);
    const { id } = await restore(engine);
    register(engine.secondary.rows, '19-5-1', '19-5-1', ['its own']);
    const before = new Map(engine.secondary.rows);
    const { id: undoneBy } = await startRollback(engine.app, id, { confirm: 'three/devices' });
    await engine.drain();
    expect(await readRestoreView(engine.app, undoneBy)).toMatchObject({ status: 'Succeeded', counts: { keptLive: 1 } });
    expect(engine.secondary.rows).toEqual(before);
  });
});

const word = fc.record({
  device: fc.integer({ min: 0, max: 5 }),
  hub: fc.constantFrom('primary' as const, 'secondary' as const),
  what: fc.constantFrom('tags', 'handle', 'gone'),
});

type Word = typeof word extends fc.Arbitrary<infer T> ? T : never;

/** One device's word, as its client would bring it about. */
function speak({ primary, secondary }: Engine, { device, hub, what }: Word, turn: number): void {
  const { rows } = hub === 'primary' ? primary : secondary;
  const id = `${device}-7-1`;
  if (what === 'gone') rows.delete(id);
  else register(rows, id, what === 'handle' ? `phone ${device} of ${turn}` : `phone ${device}`, [`t${turn}`]);
}

it('the same restore any number of times, with device changes between, is the same as once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(word, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), async (rounds) => {
      const engine = createEngine();
      for (let device = 0; device < 6; device++)
        register(engine.primary.rows, `${device}-7-1`, `phone ${device}`, ['first']);
      await backUp(engine);
      for (const [turn, words] of rounds.entries()) {
        await restore(engine);
        for (const one of words) speak(engine, one, turn);
        if (turn % 2 === 0) await backUp(engine);
      }
      await restore(engine);
      const once = new Map(engine.secondary.rows);
      const again = await restore(engine);
      expect(again.counts).toMatchObject({ created: 0, updated: 0, renewed: 0, moved: 0, withdrawn: 0, failed: 0 });
      expect(engine.secondary.rows).toEqual(once);
    }),
    { numRuns: runs(30) },
  );
});
