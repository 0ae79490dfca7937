import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Row } from '../../local/emulator/row.ts';
import { RowList } from '../../local/emulator/row-list.ts';
import { compareIds } from '../../local/emulator/row-order.ts';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { anApple, caller, idsIn, listAll } from './hub-caller.ts';

it('pages through everything in list order, each row once', async () => {
  await using emulator = await start({ devices: 1234 });
  const call = caller(emulator.namespace('n'));
  const hub = emulator.hub('n', 'h');
  const rows = [...hub.registrations()];
  const expected = rows
    .sort((a, b) => (a.platform === b.platform ? compareAsNumbers(a.id, b.id) : a.platform < b.platform ? -1 : 1))
    .map(({ id }) => id);
  expect(await listAll(call, 'h/registrations')).toEqual(expected);
  expect(await listAll(call, 'h/registrations?$top=7')).toEqual(expected);
});

it('caps a page, and gives no token after a last page that is exactly full', async () => {
  await using emulator = await start({ devices: 0 });
  const call = caller(emulator.namespace('n'));
  for (let n = 0; n < 200; n += 1) await call('POST', 'h/registrations', anApple({ token: `a${n}` }));
  const first = await call('GET', 'h/registrations?$top=5000');
  expect(idsIn(first.text)).toHaveLength(100);
  expect(first.headers.get('x-ms-continuationtoken')).toBe(encodeURIComponent(btoa('31(n);100')));
  const last = await call('GET', 'h/registrations?continuationtoken=MzEobik7MTAw');
  expect([idsIn(last.text).length, last.headers.get('x-ms-continuationtoken')]).toEqual([100, null]);
  expect((await call('GET', 'h/registrations?$top=0')).status).toBe(400);
  expect((await call('GET', 'h/registrations?continuationtoken=rubbish')).status).toBe(400);
});

it('takes a token encoded once or twice, its name in any letter case, or the next link as it is', async () => {
  await using emulator = await start({ devices: 0 });
  const call = caller(emulator.namespace('n'));
  for (let n = 0; n < 5; n += 1) await call('POST', 'h/registrations', anApple({ token: `a${n}` }));
  const first = await call('GET', 'h/registrations?$top=2');
  const token = first.headers.get('x-ms-continuationtoken') ?? '';
  const next = /rel="next" href="[^"]*\/(h\/[^"]*)"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const pages = [
    `h/registrations?$top=2&ContinuationToken=${token}`,
    `h/registrations?$top=2&continuationtoken=${encodeURIComponent(token)}`,
    next,
  ];
  const answers = await Promise.all(pages.map(async (path) => idsIn((await call('GET', path)).text)));
  expect(answers[0]).toHaveLength(2);
  expect(answers).toEqual([answers[0], answers[0], answers[0]]);
});

it('skips rows when earlier ones vanish while the token is an offset, and does not when it names a row', async () => {
  for (const listOffsetTokens of [true, false]) {
    await using emulator = await start({ devices: 300, switches: { listOffsetTokens } });
    const call = caller(emulator.namespace('n'));
    const before = await listAll(call, 'h/registrations');
    const doomed = before.slice(0, 3);
    const seen = await listAll(call, 'h/registrations', async () => {
      const id = doomed.pop();
      if (id !== undefined) await call('DELETE', `h/registrations/${id}`);
    });
    const missed = before.filter((id) => !seen.includes(id));
    expect(missed.length, `offset tokens: ${listOffsetTokens}`).toBe(listOffsetTokens ? 3 : 0);
  }
});

it('shows a write in lists only after the read lag, but to a read by id at once', async () => {
  await using emulator = await start({ devices: 0, switches: { registrationReadLagMs: 60_000 } });
  const call = caller(emulator.namespace('n'));
  await call('PUT', 'h/registrations/1-2-3', anApple());
  expect((await call('GET', 'h/registrations/1-2-3')).status).toBe(200);
  expect(await listAll(call, 'h/registrations')).toEqual([]);
  await emulator.hub('n', 'h').settle();
  expect(await listAll(call, 'h/registrations')).toEqual(['1-2-3']);
});

it('keeps any sequence of writes sorted, as a plain sorted list does', () => {
  const id = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(3)).map((parts) => parts.join('-'));
  const write = fc.record({ id, platform: fc.constantFrom('Apple' as const, 'Gcm' as const), isRemoval: fc.boolean() });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 600 }), (writes) => {
      const list = new RowList();
      const model = new Map<string, string>();
      for (const { isRemoval, ...key } of writes) {
        const name = `${key.platform} ${key.id}`;
        if (isRemoval) list.remove(key);
        else list.put(aRow(key));
        if (isRemoval) model.delete(name);
        else model.set(name, name);
      }
      const names = [...list.from()].map((row) => `${row.platform} ${row.id}`);
      expect(names).toEqual([...model.values()].sort(compareNames));
      expect(list.size).toBe(model.size);
      names.forEach((name, at) => {
        const [platform, rowId = ''] = name.split(' ');
        expect(list.offsetAfter({ platform: platform === 'Gcm' ? 'Gcm' : 'Apple', id: rowId })).toBe(at + 1);
      });
    }),
    { numRuns: 50 },
  );
});

function compareNames(a: string, b: string): number {
  const [platformA, idA = ''] = a.split(' ');
  const [platformB, idB = ''] = b.split(' ');
  return platformA === platformB ? compareAsNumbers(idA, idB) : platformA === 'Apple' ? -1 : 1;
}

/** Slow and plain. */
function compareAsNumbers(a: string, b: string): number {
  const [numbersA, numbersB] = [a, b].map((id) => id.split('-').map(BigInt));
  const at = numbersA?.findIndex((number, index) => number !== numbersB?.[index]) ?? -1;
  const difference = at === -1 ? 0n : (numbersA?.[at] ?? 0n) - (numbersB?.[at] ?? 0n);
  const order = difference < 0n ? -1 : difference > 0n ? 1 : 0;
  expect(Math.sign(compareIds(a, b))).toBe(order);
  return order;
}

function aRow(key: Pick<Row, 'id' | 'platform'>): Row {
  const rest = { isTemplate: false, templateName: '', tags: '', expiresAt: undefined, installationId: undefined };
  return { ...key, ...rest, etag: 1, handle: 'h', content: '' };
}

async function start({
  devices,
  switches = {},
}: {
  devices: number;
  switches?: Partial<HubSwitches>;
}): Promise<Emulator> {
  const emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }] });
  emulator.hub('n', 'h').seed({ devices, seed: 7 });
  return emulator;
}
