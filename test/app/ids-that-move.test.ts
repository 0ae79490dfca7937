import { expect, test } from 'vitest';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { declareRole } from '../../src/app/runs/declare-role.ts';
import { DrError } from '../../src/core/errors.ts';
import { aBackedUp, backUp, beginRestore, contentOf, restore, runToEnd } from '../support/drive.ts';
import { register, tokenOf } from '../support/rows.ts';

test('what takes the id of a record that gets another one is written after that', async () => {
  const engine = await aBackedUp();
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const name of names) register(engine.primary, `${name}1-5-1`, ['x'], `old ${name}`);
  await backUp(engine);
  await restore(engine);
  for (const name of names) {
    register(engine.primary, `${name}1-5-1`, ['y'], `new ${name}`);
    register(engine.primary, `${name}2-5-1`, ['x'], `old ${name}`);
  }
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  const missing = new Set<string>();
  engine.secondary.putRegistration = async (...args) => {
    const answer = await putRegistration(...args);
    const all = [...engine.secondary.rows.values()].join();
    for (const name of names) if (!all.includes(tokenOf(`old ${name}`))) missing.add(name);
    return answer;
  };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { moved: 8, created: 8 } });
  expect([...missing]).toEqual([]);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});

test('a row that a step wrote without an answer is not written again, though it has the version of the one before it', async () => {
  const engine = await aBackedUp();
  await restore(engine);
  register(engine.primary, '19-5-1', ['plain'], 'refreshed');
  await backUp(engine);
  const { putRegistration } = engine.secondary;
  let count = 0;
  engine.secondary.putRegistration = async (...args) => {
    if (args[0] !== '19-5-1') return putRegistration(...args);
    count += 1;
    // Its device leaves, so that the row begins with the first ETag again.
    engine.secondary.rows.delete('19-5-1');
    await putRegistration(args[0], args[1], { deadlineAt: 0 });
    throw new DrError('HubUnavailable', 'No answer.', { retryable: true });
  };
  const runId = await beginRestore(engine.app, { leftovers: 'keep' });
  await runToEnd(engine, 'restore', runId);
  expect(count).toBe(1);
  expect(await readRestoreView(engine.app, runId)).toMatchObject({ status: 'Succeeded', counts: { created: 1 } });
});

test('devices that had one id in turn get an id each in the hub that gave it, where both are to be there', async () => {
  const engine = await aBackedUp();
  engine.secondary.refusesForeignIds = true;
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const handle of ['old', 'new']) {
    for (const name of names) register(engine.primary, `${name}1-5-1`, ['x'], `${handle} ${name}`);
    await backUp(engine);
    expect(await restore(engine, { leftovers: 'keep' })).toMatchObject({ status: 'Succeeded' });
  }
  engine.advance(60_000);
  await declareRole(engine.app, { active: 'secondary', confirm: 'three/devices', force: true });
  engine.primary.rows.clear();
  await backUp(engine);
  expect(await restore(engine, { confirm: 'one/devices' })).toMatchObject({ status: 'Succeeded' });
  expect(contentOf(engine.primary)).toEqual(contentOf(engine.secondary));
});
