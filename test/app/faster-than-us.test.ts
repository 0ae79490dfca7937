import { expect, test } from 'vitest';
import { readRecords } from '../../src/app/restore/records.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { DrError } from '../../src/core/errors.ts';
import type { Hub, WriteOutcome } from '../../src/core/ports.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { aBackedUp, aRehearsed, backUp, contentOf, restore } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { hideInListing } from '../support/late-hub.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

/** What the hub answers when a row is no longer as it was listed, and what became of its record. */

/** A target that an earlier restore has filled. */
test('a handle that changed under its id in the source is withdrawn, and its new one created, by one write', async () => {
  const engine = await aRehearsed();
  engine.primary.rows.set(
    '19-5-1',
    anAppleRow({ id: '19-5-1', token: tokenOf('new phone'), tags: ['plain'], etag: 2 }),
  );
  await backUp(engine);
  expect(await restore(engine, { dryRun: true })).toMatchObject({ counts: { created: 1, withdrawn: 1 } });
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', counts: { created: 1, withdrawn: 1, leftover: 0 } });
  const writes = engine.secondary.writes.filter((write) => write.endsWith(' 19-5-1'));
  expect(writes).toEqual(['registration 19-5-1']);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a row whose tags its device changed right before it was to be withdrawn stays, and is a leftover', async () => {
  const engine = await aRehearsed();
  engine.primary.rows.delete('19-5-1');
  await backUp(engine);
  const { deleteRegistration } = engine.secondary;
  const own = anAppleRow({ id: '19-5-1', tags: ['own'], etag: 2 });
  engine.secondary.deleteRegistration = (...args) => {
    engine.secondary.rows.set('19-5-1', own);
    return deleteRegistration(...args);
  };
  expect(await restore(engine)).toMatchObject({ counts: { withdrawn: 0, leftover: 1 } });
  expect(engine.secondary.rows.get('19-5-1')).toBe(own);
});

test('a device that leaves between the look and the write does not get its other rows, in a hub that came into use meanwhile', async () => {
  const engine = await aRehearsed();
  const token = tokenOf('two rows');
  engine.primary.rows.set('19-7-1', anAppleRow({ id: '19-7-1', token, tags: ['first'] }));
  await backUp(engine);
  await restore(engine);
  engine.primary.rows.set('19-7-2', anAppleRow({ id: '19-7-2', token, tags: ['second'] }));
  await backUp(engine);
  const { listPage } = engine.secondary;
  engine.secondary.listPage = async (...args) => {
    const page = await listPage(...args);
    engine.secondary.listPage = listPage;
    await declareRole(engine.app, { active: 'secondary', confirm: 'three/devices', force: true });
    engine.secondary.rows.delete('19-7-1');
    return page;
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 0, goneInTarget: 1 } });
  expect([...engine.secondary.rows.keys()]).not.toContain('19-7-2');
});

/** The hub takes an update and loses its answer; the call is made again. */
const losingTheAnswer =
  (put: Hub['putRegistration']): Hub['putRegistration'] =>
  async (id, xml, options): Promise<WriteOutcome> => {
    if (options.ifMatch === undefined) return put(id, xml, options);
    await put(id, xml, options);
    const again = await put(id, xml, options);
    return again.kind === 'changed' ? { kind: 'changed', isRetried: true } : again;
  };

test('an update whose answer was lost, and which was sent again, is an update', async () => {
  const engine = await aRehearsed();
  engine.primary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['changed'], etag: 2 }));
  await backUp(engine);
  engine.secondary.putRegistration = losingTheAnswer(engine.secondary.putRegistration);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { updated: 1, keptLive: 0 } });
});

test('a device that registers between the listing and the write is counted and named, whatever passes come after', async () => {
  const engine = await aBackedUp();
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (id, ...rest) => {
    if (id === '19-5-1') engine.secondary.rows.set(id, anAppleRow({ id, tags: ['own'], etag: 1 }));
    return putRegistration(id, ...rest);
  };
  const view = await restore(engine);
  expect(view).toMatchObject({ status: 'Succeeded', passes: 2, counts: { created: 24 }, raced: 1, changedSince: 0 });
  const { value: created } = await readRecords(engine.app, view.id, 'created');
  const { value: raced } = await readRecords(engine.app, view.id, 'raced');
  expect(created).toHaveLength(24);
  expect(created.map(({ record }) => record)).toEqual(expect.arrayContaining(raced.map(({ record }) => record)));
  expect(raced).toEqual([{ outcome: 'raced', record: expect.stringMatching(/^device apple [0-9a-f]{12}$/) }]);
});

test('a record of which a row was written before another of its ids was refused has overwritten nothing', async () => {
  const engine = createEngine();
  const token = tokenOf('phone');
  for (const [id, tag] of [
    ['1-1-1', 'a'],
    ['2-2-2', 'b'],
  ] as const) {
    engine.primary.rows.set(id, anAppleRow({ id, token, tags: [tag] }));
  }
  await backUp(engine);
  engine.secondary.intercept = (_, id) => (id === '2-2-2' ? { kind: 'idRefused', status: 410 } : undefined);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 1 }, raced: 0 });
});

test('what its device registers while a step waits stays, also where it gets the ETag agreed on, whose words are not known', async () => {
  const engine = await aBackedUp();
  hideInListing(engine, 2, (xml) => xml.includes('>19-5-1<'));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', changedSince: 0 });
  const { etag = 1 } = parseRegistration(engine.secondary.rows.get('19-5-1') ?? '');
  engine.secondary.rows.delete('19-5-1');
  const own = anAppleRow({ id: '19-5-1', tags: ['own'], etag });
  const { putRegistration } = engine.secondary;
  engine.secondary.putRegistration = async (id, ...rest) => {
    if (id !== '19-5-1') return putRegistration(id, ...rest);
    engine.secondary.putRegistration = putRegistration;
    engine.secondary.rows.set(id, own);
    throw new DrError('HubUnavailable', 'The hub does not answer.', { retryable: true });
  };
  await restore(engine);
  expect(engine.secondary.rows.get('19-5-1')).toBe(own);
});

test('a device that changes after it was written counts once, however many passes see it', async () => {
  const engine = await aBackedUp();
  let swallowed = 0;
  engine.secondary.intercept = (_kind, id) => {
    if (id !== '39-5-1' || swallowed === 2) return undefined;
    swallowed += 1;
    return { kind: 'written' };
  };
  const { listPage } = engine.secondary;
  let listings = 0;
  engine.secondary.listPage = async (...args) => {
    listings += 1;
    if (listings === 2) engine.secondary.rows.set('19-5-1', anAppleRow({ id: '19-5-1', tags: ['own'], etag: 5 }));
    return listPage(...args);
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', passes: 5, repaired: 2, changedSince: 1 });
});
