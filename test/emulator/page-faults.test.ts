import { expect, it } from 'vitest';
import { startFaultBench } from './fault-bench.ts';
import { idsIn, listAll } from './hub-caller.ts';

it('gives one continuation token again, so that a page is read twice', async () => {
  await using bench = await startFaultBench({ devices: 250 });
  const all = await listAll(bench.call, 'h/registrations');
  bench.setFaults([{ name: 'repeated-token', times: 1 }]);
  const seen = await listAll(bench.call, 'h/registrations');
  expect(seen).toEqual([...all.slice(0, 200), ...all.slice(100)]);
});

it('gives empty pages with a token, after which the list continues where it was', async () => {
  for (const listOffsetTokens of [true, false]) {
    await using bench = await startFaultBench({ devices: 350 });
    bench.emulator.hub('n', 'h').switches({ listOffsetTokens });
    const all = await listAll(bench.call, 'h/registrations');
    bench.setFaults([{ name: 'empty-page', times: 3 }]);
    expect(await listAll(bench.call, 'h/registrations')).toEqual(all);
    bench.setFaults([{ name: 'empty-page', everyNth: 2 }]);
    expect(await listAll(bench.call, 'h/registrations')).toEqual(all);
    expect(bench.faults()[0]?.injectedCount).toBeGreaterThan(1);
  }
});

it('gives each of several empty pages a token of its own', async () => {
  await using bench = await startFaultBench({ devices: 150 });
  bench.setFaults(['empty-page']);
  const tokens = [''];
  for (let n = 0; n < 4; n += 1) {
    const page = await bench.call('GET', `h/registrations?continuationtoken=${tokens.at(-1)}`);
    expect([page.status, idsIn(page.text)]).toEqual([200, []]);
    tokens.push(page.headers.get('x-ms-continuationtoken') ?? '');
  }
  expect(new Set(tokens).size).toBe(5);
});

it('repeats rows within a page and leaves none out', async () => {
  await using bench = await startFaultBench({ devices: 250 });
  const all = await listAll(bench.call, 'h/registrations');
  bench.setFaults([{ name: 'repeated-rows', times: 1 }]);
  const seen = await listAll(bench.call, 'h/registrations');
  expect(seen).toEqual([...all.slice(0, 100), ...all.slice(0, 50), ...all.slice(100)]);
});

it('refuses a token after some pages, and takes a list from its beginning', async () => {
  await using bench = await startFaultBench({ devices: 450 });
  bench.setFaults([{ name: 'expired-token', everyNth: 3, times: 1 }]);
  await expect(listAll(bench.call, 'h/registrations')).rejects.toThrow('listing answered 400');
  expect(bench.faults()).toMatchObject([{ matchedCount: 3, injectedCount: 1 }]);
  expect((await listAll(bench.call, 'h/registrations')).length).toBeGreaterThan(400);
});
