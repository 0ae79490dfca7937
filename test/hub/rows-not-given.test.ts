import { expect, test } from 'vitest';
import { type EmulatedHub, startEmulator } from '../../local/hub-lab/index.ts';
import { DrError } from '../../src/core/errors.ts';
import type { Hub } from '../../src/core/ports.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';

interface Scene {
  readonly emulated: EmulatedHub;
  readonly hub: Hub;
  readonly clock: FakeClock;
  readonly ids: readonly string[];
  /** How many calls it took so far. */
  readonly calls: () => number;
}

/** A hub of 250 rows and more; waits take no time. */
async function onListing(rowPatienceMs: number, act: (scene: Scene) => Promise<void>): Promise<void> {
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['h'] }] });
  const emulated = emulator.hub('n', 'h');
  emulated.seed({ devices: 250, seed: 7 });
  const clock = createFakeClock({ isAutomatic: true, startAt: Date.now() });
  const connection = parseHubConnection(emulator.namespace('n').connectionString(), 'h', 'X');
  const limiter = new Limiter({ maxConcurrency: 8, clock });
  const hub = createHub({ connection, clock, limiter, random: () => 0.5, rowPatienceMs });
  try {
    const { rows } = await listAll(hub, clock);
    await act({ emulated, hub, clock, ids: rows, calls: () => hub.pace().requestCount });
  } finally {
    await hub.close();
  }
}

/** What a backup would list: ids, and the places of rows that were not given. */
async function listAll(hub: Hub, clock: FakeClock): Promise<{ rows: string[]; missing: number[]; odd: number }> {
  const rows: string[] = [];
  const missing: number[] = [];
  let odd = 0;
  let token: string | undefined;
  do {
    const page = await hub.listPage(token, { deadlineAt: clock.now() + 600_000 });
    if (page === 'tokenLost') throw new Error('token lost');
    const at = rows.length + missing.length;
    missing.push(...(page.missing ?? []).map((index) => at + index));
    const texts = page.rows.map((row) => Buffer.from(row).toString());
    odd += texts.filter((text) => text.includes('<Unheard/>')).length;
    rows.push(...texts.map((text) => /<RegistrationId>([^<]+)/.exec(text)?.[1] ?? 'odd'));
    token = page.nextToken;
  } while (token !== undefined);
  return { rows, missing, odd };
}

const without = (ids: readonly string[], places: readonly number[]): string[] =>
  ids.filter((_, index) => !places.includes(index));

test.each(['error', 'broken-page'] as const)(
  'rows that a listing trips over (%s) are left out by their place, and all others are given',
  async (tripsBy) => {
    await onListing(0, async ({ emulated, hub, clock, ids, calls }) => {
      const places = [100, 131, 132, 199, ids.length - 1];
      emulated.switches({ trippingIds: places.map((place) => ids[place] ?? ''), tripsBy });
      const before = calls();
      expect(await listAll(hub, clock)).toEqual({ rows: without(ids, places), missing: places, odd: 0 });
      expect(calls() - before).toBeLessThan(250);
    });
  },
);

test('an odd entry is handed on as a row that nothing reads, and costs no other row', async () => {
  await onListing(0, async ({ emulated, hub, clock, ids }) => {
    emulated.switches({ trippingIds: [ids[0] ?? '', ids[131] ?? ''], tripsBy: 'odd-entry' });
    const { rows, missing, odd } = await listAll(hub, clock);
    expect([rows.length, missing, odd]).toEqual([ids.length, [], 2]);
    expect(rows.filter((id) => id !== 'odd')).toEqual(without(ids, [0, 131]));
  });
});

const faultOf = async (work: Promise<unknown>): Promise<DrError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DrError) return error;
  throw error ?? new Error('it did not fail');
};

test('a row is asked for five minutes before it is left out; the rows before it are given at once', async () => {
  await onListing(300_000, async ({ emulated, hub, clock, ids }) => {
    emulated.switches({ trippingIds: [ids[131] ?? ''] });
    const call = () => ({ deadlineAt: clock.now() + 60_000 });
    const first = await hub.listPage(undefined, call());
    const second = first === 'tokenLost' ? undefined : await hub.listPage(first.nextToken, call());
    if (second === undefined || second === 'tokenLost') throw new Error('token lost');
    expect([second.rows.length, second.missing]).toEqual([31, undefined]);
    const waiting = await faultOf(hub.listPage(second.nextToken, call()));
    expect(waiting).toMatchObject({ retryable: true, seen: 'status 500' });
    await clock.advance(200_000);
    expect(await faultOf(hub.listPage(second.nextToken, call()))).toMatchObject({ retryable: true });
    await clock.advance(100_000);
    expect(await hub.listPage(second.nextToken, call())).toMatchObject({ missing: [0] });
  });
});

test('where no token leads past the row, or it is the first, the listing ends with what it is', async () => {
  await onListing(0, async ({ emulated, hub, clock, ids }) => {
    const stuck = { code: 'HubMisbehaves', retryable: false, message: expect.stringMatching(/no token leads past/) };
    emulated.switches({ trippingIds: [ids[0] ?? ''] });
    expect(await faultOf(listAll(hub, clock))).toMatchObject(stuck);
    emulated.switches({ trippingIds: [ids[131] ?? ''], listOffsetTokens: false });
    expect(await faultOf(listAll(hub, clock))).toMatchObject(stuck);
  });
});

test('a hub that serves nothing else, or writes all pages in another form, is not taken for odd rows', async () => {
  await onListing(0, async ({ emulated, hub, clock, ids }) => {
    for (const tripsBy of ['error', 'broken-page'] as const) {
      emulated.switches({ trippingIds: [...ids], tripsBy });
      const fault = await faultOf(hub.listPage('MzEobik7MTAw', { deadlineAt: clock.now() + 60_000 }));
      expect(fault).toMatchObject({ retryable: true });
    }
  });
});
