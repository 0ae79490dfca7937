import { confirmedIn, type Intent } from '../../core/dual/intent.ts';
import { CONFIRMED_FOLDER, confirmedDay, confirmedHour, fullNameOf, INTENTS_FOLDER } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { type App, toInstant, type Words } from '../app.ts';
import { mapConcurrent } from '../stored/concurrent.ts';
import { documents, numberBlobs } from '../stored/documents.ts';
import { KEEP_MS } from './confirmed.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const READERS = 16;

/**
 * What that hub has confirmed since: with the other hub, or by itself while that is away. What cannot be read is logged
 * and counts as not said.
 */
export async function readWords(app: App, hub: HubRef, sinceMs: number): Promise<Words> {
  const confirmed = new Map<number, number>();
  const note = (keyHash: number, at: number): void => {
    if (at >= sinceMs && at > (confirmed.get(keyHash) ?? 0)) confirmed.set(keyHash, at);
  };
  const lists = await mapConcurrent(prefixesSince(sinceMs, app.world.storageNow()), READERS, (prefix) =>
    app.blobs.list(prefix),
  );
  await mapConcurrent(lists.flat(), READERS, async ({ name }) => {
    const { value } = await numberBlobs.confirmed.tryFind(app, name, 'mayBeMissing');
    const pairs = value?.numbers ?? new Float64Array();
    for (let at = 0; at + 1 < pairs.length; at += 2) note(pairs[at] ?? 0, pairs[at + 1] ?? 0);
  });
  const waiting = new Set<number>();
  const own = fullNameOf(hub);
  await mapConcurrent(await app.blobs.list(INTENTS_FOLDER), READERS, async ({ name, facts }) => {
    const known = facts['key'] === undefined ? await factsOfOlder(app, name) : facts;
    const keyHash = Number(known?.['key']);
    if (known === undefined || Number.isNaN(keyHash)) return;
    waiting.add(keyHash);
    if (confirmedIn(known).includes(own)) note(keyHash, Date.parse(known['at'] ?? ''));
  });
  return {
    confirmedAt: (keyHash) => confirmed.get(keyHash) ?? 0,
    isWaiting: (keyHash) => waiting.has(keyHash),
  };
}

/** Earlier versions of the library noted no key. */
async function factsOfOlder(app: App, name: string): Promise<Record<string, string> | undefined> {
  const { value }: { value?: Intent } = await documents.intent.tryFind(app, name, 'mayBeMissing');
  if (value?.keyHash === undefined) return undefined;
  return { key: String(value.keyHash), at: value.at, confirmed: value.confirmed.join(' ') };
}

/** Names begin with their time: the folder holds those of days. */
function prefixesSince(sinceMs: number, nowMs: number): string[] {
  // A blob is named by when it was stored, some seconds after the first of its writes was confirmed.
  const from = Math.max(sinceMs, nowMs - KEEP_MS);
  const prefixes = new Set<string>();
  for (let at = from; at < nowMs + HOUR_MS; at += HOUR_MS) {
    const isOld = nowMs - at > 2 * DAY_MS;
    prefixes.add(CONFIRMED_FOLDER + (isOld ? confirmedDay(toInstant(at)) : confirmedHour(toInstant(at))));
  }
  return [...prefixes].filter((one, _, all) => !all.some((other) => other !== one && one.startsWith(other)));
}
