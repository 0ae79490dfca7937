import { expect, it } from 'vitest';
import { aBackedUp, backUp, contentOf, restore } from '../support/drive.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

it('a device of whose rows the target takes one id and refuses the other is restored with both', async () => {
  const engine = await aBackedUp();
  await restore(engine);
  const template = { name: 'alert', body: '{"aps":{"alert":"$(message)"}}' };
  engine.primary.rows.set('901-5-1', anAppleRow({ id: '901-5-1', token: tokenOf('phone') }));
  engine.primary.rows.set('902-5-1', anAppleRow({ id: '902-5-1', token: tokenOf('phone'), template }));
  await backUp(engine);
  engine.secondary.intercept = (_, id) => (id === '902-5-1' ? { kind: 'idRefused', status: 410 } : undefined);
  expect(await restore(engine)).toMatchObject({
    status: 'Succeeded',
    counts: { created: 1, unchanged: 24, keptLive: 0 },
  });
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
