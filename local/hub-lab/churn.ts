import { z } from 'zod';
import type { Hub } from '../emulator/hub.ts';
import { type Installation, readStored } from '../emulator/installation.ts';
import { integer, type Random, seededRandom, seedOf } from '../emulator/random.ts';
import { type Row, sortTags, splitTags } from '../emulator/row.ts';
import { seed } from './seed.ts';

const whole = z.int().min(0);

/** How many devices change, go and come; the same seed picks the same ones. */
export const churnOptionsSchema = z.strictObject({
  change: whole.default(0),
  remove: whole.default(0),
  add: whole.default(0),
  seed: whole.default(1),
});

export type ChurnOptions = z.input<typeof churnOptionsSchema>;

export interface GoLiveOptions {
  readonly add: number;
  readonly returning: number;
  readonly seed: number;
}

/** Changes, removes and adds devices; fewer than asked for when the hub has fewer. */
export function churn(hub: Hub, options: ChurnOptions): { changed: number; removed: number; added: number } {
  const { change, remove, add, seed: seedNumber } = churnOptionsSchema.parse(options);
  const picked = pickDistinct(seededRandom(seedNumber), [...hub.handles()], change + remove);
  const changed = picked.slice(0, change);
  const removed = picked.slice(change);
  for (const handle of changed) changeDevice(hub, handle, `churned:${seedNumber}`);
  for (const handle of removed) removeDevice(hub, handle);
  // Another stream than seeding has: with the same number the "new" devices would be the old ones.
  seed(hub, { devices: add, seed: seedOf(`churn/${seedNumber}`) });
  return { changed: changed.length, removed: removed.length, added: add };
}

/** Devices that register in a hub after a failover: some new, some that `source` knows, with one more tag. */
export function goLive(hub: Hub, source: Hub, options: GoLiveOptions): { added: number; returned: number } {
  seed(hub, { devices: options.add, seed: seedOf(`live/${options.seed}`) });
  // A handle with several records would come back in part only, which no real device does.
  const candidates = [...source.handles()].filter((handle) => hasOneRecord(source.rowsOfHandle(handle)));
  const returning = pickDistinct(seededRandom(options.seed), candidates, options.returning);
  for (const handle of returning) {
    const [row] = source.rowsOfHandle(handle);
    if (row === undefined) continue;
    const installation = storedInstallation(source, row);
    if (installation !== undefined) hub.applyInstallation(withTag(installation, `live:${options.seed}`));
    else hub.addRow(taggedRow(row, `live:${options.seed}`));
  }
  return { added: options.add, returned: returning.length };
}

function changeDevice(hub: Hub, handle: string, tag: string): void {
  for (const row of hub.rowsOfHandle(handle)) {
    const installation = storedInstallation(hub, row);
    if (installation === undefined) hub.setRow({ ...taggedRow(row, tag), etag: row.etag + 1 });
    else if (!row.isTemplate) hub.applyInstallation(withTag(installation, tag));
  }
}

function removeDevice(hub: Hub, handle: string): void {
  for (const { id, installationId } of hub.rowsOfHandle(handle)) {
    if (installationId === undefined) hub.removeRow(id);
    else hub.removeInstallation(installationId);
  }
}

function hasOneRecord(rows: readonly Row[]): boolean {
  const ids = new Set(rows.map(({ installationId }) => installationId));
  return ids.size === 1 && (rows.length === 1 || !ids.has(undefined));
}

function storedInstallation(hub: Hub, { installationId }: Row): Installation | undefined {
  const stored = installationId === undefined ? undefined : hub.installations.get(installationId);
  return stored === undefined ? undefined : readStored(stored.json);
}

function withTag(installation: Installation, tag: string): Installation {
  return { ...installation, tags: [...installation.tags, tag] };
}

function taggedRow(row: Row, tag: string): Row {
  return { ...row, tags: sortTags([...splitTags(row.tags), tag]).join(',') };
}

function pickDistinct(random: Random, from: string[], count: number): string[] {
  const size = Math.min(count, from.length);
  for (let at = 0; at < size; at += 1) {
    const other = at + integer(random, from.length - at);
    [from[at], from[other]] = [from[other] ?? '', from[at] ?? ''];
  }
  return from.slice(0, size);
}
