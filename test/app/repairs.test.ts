import { expect, test } from 'vitest';
import { startRollback } from '../../src/app/restore/rollback.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { backUp, contentOf, restore } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';
import { anInstallation } from '../support/rows.ts';

const MARK = 'notification-hubs-dr-repair';
const PHONES = 8;

async function aBackedUpEngine(tags: readonly string[] = ['news']): Promise<Engine> {
  const engine = createEngine();
  for (let index = 0; index < PHONES; index++) {
    for (const [id, xml] of anInstallation(`phone-${index}`, { tags })) engine.primary.rows.set(id, xml);
  }
  await backUp(engine);
  return engine;
}

const contentsOf = ({ secondary }: Engine): string => JSON.stringify([...secondary.rows.values()]);
const tagsOf = (xml: string): readonly string[] => parseRegistration(xml).tags;

/** The puts of each installation take effect as `order` has them, when the target is listed next; others never. */
function applyPuts({ secondary }: Engine, order: (puts: readonly string[]) => readonly (string | undefined)[]): void {
  const { putInstallation, listPage } = secondary;
  const puts = new Map<string, string[]>();
  secondary.putInstallation = async (id, json) => {
    puts.set(id, [...(puts.get(id) ?? []), json]);
    return { kind: 'written' };
  };
  secondary.listPage = async (...args) => {
    for (const [id, jsons] of puts) {
      for (const json of order(jsons)) if (json !== undefined) await putInstallation(id, json, { deadlineAt: 0 });
      if (order(jsons).length > 0) puts.set(id, []);
    }
    return listPage(...args);
  };
}

const second = (puts: readonly string[]): readonly (string | undefined)[] => (puts.length < 2 ? [] : [puts[1]]);
const swapped = (puts: readonly string[]): readonly (string | undefined)[] =>
  puts.length < 2 ? [] : [puts.at(-1), puts.at(-2)];

test.each([
  { how: 'only the write after the first one takes effect', order: second },
  { how: 'the last two writes take effect in the other order', order: swapped },
])('when $how, the target has what the primary has', async ({ order }) => {
  const engine = await aBackedUpEngine();
  applyPuts(engine, order);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: PHONES }, changedSince: 0 });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
  expect(contentsOf(engine)).not.toContain(MARK);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: PHONES } });
});

test('an installation with as many tags as a hub takes is repaired', async () => {
  const engine = await aBackedUpEngine(Array.from({ length: 60 }, (_, index) => `t${index}`));
  let lost = PHONES;
  engine.secondary.intercept = (_kind, _id, body) => {
    const { tags }: { tags: readonly string[] } = JSON.parse(body);
    if (tags.length > 60) return { kind: 'rejected', status: 400, reason: 'Rejected' };
    return lost-- > 0 ? { kind: 'written' } : undefined;
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', repaired: PHONES });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('the tag that earlier versions left is removed by the next restore, from the target and from what the snapshot says', async () => {
  for (const isInSnapshot of [false, true]) {
    const engine = await aBackedUpEngine(isInSnapshot ? ['news', MARK] : ['news']);
    for (const [id, xml] of anInstallation('phone-3', { tags: ['news', MARK] })) engine.secondary.rows.set(id, xml);
    const counts = { created: PHONES - 1, updated: 1, keptLive: 0 };
    expect(await restore(engine, { dryRun: true })).toMatchObject({ counts });
    const restored = await restore(engine);
    expect(restored).toMatchObject({ status: 'Succeeded', counts, changedSince: 0 });
    expect(contentsOf(engine)).not.toContain(MARK);
    expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { unchanged: PHONES } });
    // It lived before: a rollback leaves it.
    await startRollback(engine.app, restored.id, { confirm: 'three/devices' });
    await engine.drain();
    expect(engine.secondary.rows.size).toBe(2);
    for (const xml of engine.secondary.rows.values()) expect(tagsOf(xml)).toContain('$InstallationId:{phone-3}');
  }
});

test('what the last look shows of an installation that was given up counts as written', async () => {
  const engine = await aBackedUpEngine();
  const { putInstallation, listPage } = engine.secondary;
  const puts = new Map<string, number>();
  let last: string | undefined;
  engine.secondary.putInstallation = async (id, json, call) => {
    puts.set(id, (puts.get(id) ?? 0) + 1);
    if (id === 'phone-0') last = json;
    // Of what appears in the fifth look, the sixth has to show that it stays.
    const isDropped = id === 'phone-0' || (id === 'phone-1' && (puts.get(id) ?? 0) < 4);
    return isDropped ? { kind: 'written' } : putInstallation(id, json, call);
  };
  let listings = 0;
  engine.secondary.listPage = async (token, call) => {
    listings += token === undefined ? 1 : 0;
    if (listings === 6 && last !== undefined) await putInstallation('phone-0', last, call);
    return listPage(token, call);
  };
  const counts = { created: PHONES, failed: 0 };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', passes: 6, counts });
});
