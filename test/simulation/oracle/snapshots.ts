import type { HubRef } from '../../../src/core/ports.ts';
import { contentOf, type Description, readDescription, slotOf } from '../row.ts';
import type { Container } from '../storage.ts';
import type { Truth, Word } from '../truth.ts';

export interface SnapshotRow extends Description {
  readonly id: string;
  readonly etag: string;
  /** Epoch ms; absent: never. */
  readonly expiresAt: number | undefined;
}

/** What a snapshot wants of one device. */
export interface Wanted {
  readonly device: number;
  /** For messages. */
  readonly name: string;
  /** Of what the listing showed under one id, or of one template, only the newest. */
  readonly rows: readonly SnapshotRow[];
  /** The newest word in them. */
  readonly word: Word | undefined;
  /**
   * Its rows stem from several words, and what is made of them is not any of these; or nothing tells which of two
   * rows is newer.
   */
  readonly isTorn: boolean;
}

/** The rows a snapshot holds, read as anybody can: its shards are lines of JSON, which the simulation does not pack. */
export function readSnapshot(container: Container, hub: HubRef, id: string): SnapshotRow[] {
  const rows: SnapshotRow[] = [];
  for (const { bytes } of container.shards(`${hub.namespace}/${hub.hub}/snapshots/${id}/shards/`)) {
    const text = Buffer.from(bytes).toString('utf8');
    for (const line of text.split('\n')) if (line !== '') rows.push(...readLine(JSON.parse(line)));
  }
  return rows;
}

/** What is later than this never expires. */
export const NEVER_FROM = Date.UTC(9000);

function readLine({ rows }: { readonly rows: readonly string[] }): SnapshotRow[] {
  return rows.map((xml) => {
    const expires = /<ExpirationTime>([^<]*)</.exec(xml)?.[1] ?? '9999';
    return {
      ...readDescription(xml),
      id: /<RegistrationId>([^<]*)</.exec(xml)?.[1] ?? '',
      etag: /<ETag>([^<]*)</.exec(xml)?.[1] ?? '',
      // A repair gives an installation that never expires another such time.
      expiresAt: Date.parse(expires) >= NEVER_FROM ? undefined : Date.parse(expires),
    };
  });
}

export function wantedOf(rows: readonly SnapshotRow[], truth: Truth): Wanted[] {
  const byDevice = Map.groupBy(rows, (row) => truth.deviceOf(row));
  return [...byDevice].map(([device, own]) => {
    const numberOf = (row: SnapshotRow): number => truth.wordOf(row)?.number ?? -1;
    const newest = new Map<string, SnapshotRow>();
    const hasNative = own.some((row) => row.body === undefined);
    let isAmbiguous = false;
    for (const row of own) {
      const key = row.installationId === undefined ? row.id : `${row.installationId} ${slotOf(row)}`;
      const known = newest.get(key);
      // A native row tells which of two templates of one name is newer: that has all of its tags. Of two native rows
      // nothing does, nor where both templates have them.
      const isOpen = known !== undefined && row.installationId !== undefined;
      if (isOpen && (!hasNative || row.body === undefined || contentOf(known) === contentOf(row))) isAmbiguous = true;
      if (known === undefined || numberOf(row) > numberOf(known)) newest.set(key, row);
    }
    const kept = [...newest.values()];
    const words = kept.map((row) => truth.wordOf(row)).sort((a, b) => (b?.number ?? -1) - (a?.number ?? -1));
    const isTorn = isAmbiguous || new Set(kept.map(contentOf)).size > 1;
    return { device, name: kept[0]?.installationId ?? `device ${device}`, rows: kept, word: words[0], isTorn };
  });
}
