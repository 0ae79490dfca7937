import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pairBlobs } from '../../src/app/stored/pair-blobs.ts';
import { REMEMBERED_MS } from '../../src/core/feedback/mark.ts';
import {
  CONFIRMED_FOLDER,
  FEEDBACK_STATE_NAME,
  INTENTS_FOLDER,
  otherIdsName,
  PAIRS_FOLDER,
  pairFolder,
} from '../../src/core/paths.ts';
import { createMemoryBlobs } from '../support/memory-blobs.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** What is stored, and how long it is kept, row by row. */
const rows = new Map(
  [...read('docs/SECURITY.md').matchAll(/^\| (.+?) \| .+ \| (.+?) \|$/gm)].map(([, what = '', kept = '']) => [
    what,
    kept,
  ]),
);

function keptOf(what: string): string {
  const found = [...rows].filter(([name]) => name.startsWith(what));
  expect(found).toHaveLength(1);
  return found[0]?.[1] ?? '';
}

/** The days of a constant of that file, as its source has it: `KEEP_MS = 30 * DAY_MS`. */
function daysIn(file: string, name: string): string {
  const [, days] =
    new RegExp(`\\b${name}\\b[^=\\n:]*[=:][^;\\n]*?\\b(\\d+) \\* (?:DAY_MS|86_400_000)`).exec(read(file)) ?? [];
  return `${days} days`;
}

test('what is stored is kept as long as SECURITY says', () => {
  expect(keptOf('audit records')).toBe(daysIn('src/app/stored/audit.ts', 'KEEP_MS'));
  const restores = daysIn('src/app/prune.ts', 'restore');
  const syncs = daysIn('src/app/prune.ts', 'KEEP_SYNCS_MS');
  expect(keptOf('what a restore overwrote')).toBe(`with the run: restores ${restores}, syncs ${syncs.split(' ')[0]}`);
  expect(keptOf('ids and confirmations')).toContain(daysIn('src/app/dual/confirmed.ts', 'KEEP_MS'));
  const cleanUps = daysIn('src/app/feedback/state.ts', 'KEEP_MS');
  expect(keptOf('dead handles')).toBe(`${REMEMBERED_MS / 86_400_000} days; what clean-ups removed ${cleanUps}`);
  // Steps wait while a service is down for days: their messages do not end.
  expect(keptOf('queue messages')).toBe('a message until its step is done');
  expect(read('src/azure/step-queue.ts')).toContain('messageTimeToLive: -1');
});

test('what belongs to a pair lies where SECURITY says', async () => {
  const [one, other] = [
    { namespace: 'a', hub: 'devices' },
    { namespace: 'b', hub: 'devices' },
  ];
  const container = createMemoryBlobs();
  const blobs = pairBlobs(container, one, other);
  for (const name of [`${INTENTS_FOLDER}x`, otherIdsName('x'), `${CONFIRMED_FOLDER}x`, FEEDBACK_STATE_NAME]) {
    await blobs.put(name, new Uint8Array(1), 'new');
  }
  const folders = (await container.list('')).map(({ name }) =>
    name.replace(pairFolder(one, other), `${PAIRS_FOLDER}…/`).replace(/[^/]+$/, ''),
  );
  const named = [...rows.keys()].flatMap((what) => [...what.matchAll(/`(_[^`]+)`/g)].map(([, folder]) => folder));
  expect(named.toSorted()).toEqual(folders.toSorted());
});
