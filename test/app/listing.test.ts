import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Listing } from '../../src/app/listing/pages.ts';
import { DrError } from '../../src/core/errors.ts';
import type { Hub, Page } from '../../src/core/ports.ts';
import { realWorld } from '../../src/world.ts';
import { createEngine } from '../support/engine.ts';

/** One page that was asked for, and what the hub says of it when the test wants it to. */
interface Asked {
  readonly token: string | undefined;
  head(nextToken: string): void;
  give(page: Page | 'tokenLost'): void;
  fail(error: DrError): void;
}

/** A hub whose pages come on command. */
function aSlowHub(): { readonly hub: Hub; readonly asked: readonly Asked[]; tokens(): (string | undefined)[] } {
  const asked: Asked[] = [];
  const hub: Hub = {
    ...createEngine().primary,
    listPage: (token, { onNextToken }) =>
      new Promise((resolve, reject) => {
        asked.push({ token, head: (nextToken) => onNextToken?.(nextToken), give: resolve, fail: reject });
      }),
  };
  return { hub, asked, tokens: () => asked.map(({ token }) => token) };
}

const at = (now: () => number) => ({ now, nextTurn: realWorld.nextTurn });

const pageTo = (nextToken: string | undefined): Page => ({ rows: [], nextToken });

test('the next page is asked for with the head of an answer, before the page has come', async () => {
  const { hub, asked, tokens } = aSlowHub();
  const listing = new Listing(
    hub,
    1000,
    at(() => 0),
  );
  const first = listing.page(undefined);
  expect(tokens()).toEqual([undefined]);
  asked[0]?.head('a');
  expect(tokens()).toEqual([undefined, 'a']);
  asked[1]?.head('b');
  expect(tokens()).toEqual([undefined, 'a', 'b']);
  asked[0]?.give(pageTo('a'));
  expect(await first).toEqual(pageTo('a'));
  asked[1]?.give(pageTo('b'));
  expect(await listing.page('a')).toEqual(pageTo('b'));
  expect(tokens()).toEqual([undefined, 'a', 'b']);
});

test('pages not taken yet are few, and asking continues as they are taken', async () => {
  const { hub, asked, tokens } = aSlowHub();
  const listing = new Listing(
    hub,
    1000,
    at(() => 0),
  );
  const first = listing.page(undefined);
  for (let index = 0; index < asked.length && index < 100; index += 1) asked[index]?.head(`${index + 1}`);
  expect(tokens()).toHaveLength(17);
  for (const [index, page] of asked.entries()) page.give(pageTo(`${index + 1}`));
  await first;
  await listing.page('1');
  expect(tokens()).toHaveLength(18);
});

test('pages of large rows wait in smaller number', async () => {
  const { hub, asked, tokens } = aSlowHub();
  const listing = new Listing(
    hub,
    1000,
    at(() => 0),
  );
  const first = listing.page(undefined);
  const rows = [Buffer.alloc(1024 * 1024)];
  for (let index = 0; index < asked.length && index < 100; index += 1) {
    asked[index]?.give({ rows, nextToken: `${index + 1}` });
    await turn();
    asked[index]?.head(`${index + 1}`);
  }
  // The first is taken, four wait.
  expect(tokens()).toEqual([undefined, '1', '2', '3', '4']);
  await first;
  await listing.page('1');
  expect(tokens().at(-1)).toBe('5');
});

test('a page that names another token than its head did decides what comes next', async () => {
  const { hub, asked, tokens } = aSlowHub();
  const listing = new Listing(
    hub,
    1000,
    at(() => 0),
  );
  const first = listing.page(undefined);
  asked[0]?.head('damaged');
  asked[0]?.give(pageTo('right'));
  expect(await first).toEqual(pageTo('right'));
  expect(tokens()).toEqual([undefined, 'damaged', 'right']);
  asked[1]?.fail(new DrError('HubMisbehaves', 'nothing waits for it'));
  asked[2]?.give(pageTo(undefined));
  expect(await listing.page('right')).toEqual(pageTo(undefined));
  await turn();
  expect(tokens()).toHaveLength(3);
});

test('a listing that begins again lets go of what was under way', async () => {
  const { hub, asked, tokens } = aSlowHub();
  const listing = new Listing(
    hub,
    1000,
    at(() => 0),
  );
  const first = listing.page(undefined);
  asked[0]?.head('a');
  asked[0]?.give(pageTo('a'));
  await first;
  asked[1]?.head('b');
  asked[1]?.give('tokenLost');
  expect(await listing.page('a')).toBe('tokenLost');
  const again = listing.page(undefined);
  asked.at(-1)?.give(pageTo(undefined));
  expect(await again).toEqual(pageTo(undefined));
  expect(tokens()).toEqual([undefined, 'a', 'b', undefined]);
});

test('an error of the hub is a value, and nothing is asked for once time is over', async () => {
  const { hub, asked, tokens } = aSlowHub();
  let now = 0;
  const listing = new Listing(
    hub,
    1000,
    at(() => now),
  );
  const first = listing.page(undefined);
  now = 1000;
  asked[0]?.head('a');
  asked[0]?.give(pageTo('a'));
  expect(await first).toEqual(pageTo('a'));
  expect(tokens()).toEqual([undefined]);
  const error = new DrError('HubUnavailable', 'gone', { retryable: true });
  const second = listing.page('a');
  asked[1]?.fail(error);
  expect(await second).toBe(error);
});
