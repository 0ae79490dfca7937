import { z } from 'zod';
import type { Hub } from '../emulator/hub.ts';
import { type Installation, readStored } from '../emulator/installation.ts';
import { platformSpec } from '../emulator/platforms.ts';
import { integer, type Random, seededRandom, seedOf } from '../emulator/random.ts';
import { expiresAtMs, type Row, sortTags, splitTags, toRowContent } from '../emulator/row.ts';
import { parseDescription } from '../emulator/xml-in.ts';
import { renderDescription } from '../emulator/xml-out.ts';
import { seed } from './seed.ts';
import { aHandle, channelOf, installationId, someTags, userId } from './seed-shapes.ts';

const whole = z.int().min(0);

/** How many devices do what; the same seed picks the same ones, each for one thing. */
export const churnOptionsSchema = z.strictObject({
  /** Get one more tag. */
  change: whole.default(0),
  remove: whole.default(0),
  add: whole.default(0),
  /** Get a new handle under the ids they have. */
  refresh: whole.default(0),
  /** Get new ids, of registrations and installation, under the handle they have. */
  rename: whole.default(0),
  /** Register once more under new ids, with all they have. */
  duplicate: whole.default(0),
  /** Of those that expire: do so a year later. */
  renew: whole.default(0),
  /** Go, and their handle registers under new ids and with other tags, as a phone does for its next owner. */
  handOver: whole.default(0),
  seed: whole.default(1),
});

export type ChurnOptions = z.input<typeof churnOptionsSchema>;

export interface GoLiveOptions {
  readonly add: number;
  readonly returning: number;
  readonly seed: number;
}

/** How many devices did what. */
export interface ChurnSummary {
  readonly changed: number;
  readonly removed: number;
  readonly added: number;
  readonly refreshed: number;
  readonly renamed: number;
  readonly duplicated: number;
  readonly renewed: number;
  readonly handedOver: number;
}

const yearMs = 365 * 86_400_000;

/** Fewer than asked for when the hub has fewer. */
export function churn(hub: Hub, options: ChurnOptions): ChurnSummary {
  const checked = churnOptionsSchema.parse(options);
  const { change, remove, add, refresh, rename, duplicate, renew, handOver, seed: seedNumber } = checked;
  const total = change + remove + refresh + rename + duplicate + handOver;
  const picked = pickDistinct(seededRandom(seedNumber), [...hub.handles()], total);
  const random = seededRandom(seedOf(`ids/${seedNumber}`));
  const toRenew = renew === 0 ? [] : pickExpiring(hub, new Set(picked), renew, seedNumber);
  const apply = (count: number, action: (handle: string) => void): number => {
    const handles = picked.splice(0, count);
    for (const handle of handles) action(handle);
    return handles.length;
  };
  const changed = apply(change, (handle) => changeDevice(hub, handle, `churned:${seedNumber}`));
  const removed = apply(remove, (handle) => removeDevice(hub, handle));
  const refreshed = apply(refresh, (handle) => refreshDevice(hub, handle, random));
  const duplicated = apply(duplicate, (handle) => duplicateDevice(hub, handle, random));
  const renamed = apply(rename, (handle) => {
    const old = recordsOf(hub, handle);
    duplicateDevice(hub, handle, random);
    removeRecords(hub, old);
  });
  const handedOver = apply(handOver, (handle) => handOverDevice(hub, handle, random));
  for (const handle of toRenew) renewDevice(hub, handle);
  // Another stream than seeding has: with the same number the "new" devices would be the old ones.
  seed(hub, { devices: add, seed: seedOf(`churn/${seedNumber}`) });
  return { changed, removed, added: add, refreshed, renamed, duplicated, renewed: toRenew.length, handedOver };
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
  removeRecords(hub, recordsOf(hub, handle));
}

function refreshDevice(hub: Hub, handle: string, random: Random): void {
  const { installations, rows } = recordsOf(hub, handle);
  const [first] = hub.rowsOfHandle(handle);
  if (first === undefined) return;
  const spec = platformSpec(first.platform);
  const texts = aHandle(random, spec);
  for (const one of installations) hub.applyInstallation({ ...one, pushChannel: channelOf(spec, texts) });
  for (const row of rows) {
    const xml = renderDescription(row, 2022);
    const description = parseDescription(xml, { outOfOrderElements: 'accept', unknownElements: 'keep' });
    const renewed = { ...description, texts: new Map([...description.texts, ...texts]) };
    hub.setRow({ ...toRowContent(renewed, { expiresAt: row.expiresAt }), id: row.id, etag: row.etag + 1 });
  }
}

function duplicateDevice(hub: Hub, handle: string, random: Random): void {
  const { installations, rows } = recordsOf(hub, handle);
  for (const one of installations) hub.applyInstallation({ ...one, installationId: installationId(random) });
  for (const { id, etag, inserted, updated, ...content } of rows) hub.addRow(content);
}

function handOverDevice(hub: Hub, handle: string, random: Random): void {
  const { installations, rows } = recordsOf(hub, handle);
  removeRecords(hub, { installations, rows });
  const tags = [...someTags(random), `owner:${userId(random)}`];
  const [installation] = installations;
  if (installation !== undefined) {
    hub.applyInstallation({ ...installation, installationId: installationId(random), userId: undefined, tags });
    return;
  }
  for (const { id, etag, inserted, updated, ...content } of rows.slice(0, 1)) {
    hub.addRow({ ...content, tags: sortTags(tags).join(',') });
  }
}

function renewDevice(hub: Hub, handle: string): void {
  const { installations, rows } = recordsOf(hub, handle);
  for (const one of installations) {
    hub.applyInstallation({ ...one, expirationTime: aYearLater(one.expirationTime) });
  }
  for (const row of rows) hub.setRow({ ...row, expiresAt: aYearLater(row.expiresAt), etag: row.etag + 1 });
}

function aYearLater(instant: string | undefined): string | undefined {
  return instant === undefined ? undefined : new Date(Date.parse(instant) + yearMs).toISOString();
}

function pickExpiring(hub: Hub, others: ReadonlySet<string>, count: number, seedNumber: number): string[] {
  const isExpiring = (handle: string): boolean =>
    hub.rowsOfHandle(handle).some((row) => Number.isFinite(expiresAtMs(row)));
  const candidates = [...hub.handles()].filter((handle) => !others.has(handle) && isExpiring(handle));
  return pickDistinct(seededRandom(seedOf(`renew/${seedNumber}`)), candidates, count);
}

interface Records {
  readonly installations: readonly Installation[];
  /** Plain ones. */
  readonly rows: readonly Row[];
}

function recordsOf(hub: Hub, handle: string): Records {
  const rows = hub.rowsOfHandle(handle);
  const ids = new Set(rows.map(({ installationId: id }) => id));
  const stored = [...ids].map((id) => (id === undefined ? undefined : hub.installations.get(id)?.json));
  return {
    installations: stored.flatMap((json) => (json === undefined ? [] : readStored(json))),
    rows: rows.filter((row) => row.installationId === undefined),
  };
}

function removeRecords(hub: Hub, { installations, rows }: Records): void {
  for (const { installationId: id } of installations) hub.removeInstallation(id);
  for (const { id } of rows) hub.removeRow(id);
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
