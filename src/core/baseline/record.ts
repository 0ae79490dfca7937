import type { Shown } from '../fingerprint/shown.ts';

/**
 * What a pair of hubs last agreed on, record by record. Versions are hashes of registration ids and ETags: equal or
 * not, and only ever compared with others of the same hub. Times are epoch milliseconds of the reading.
 */

/** A version as one hub held it, and when that was read. `undefined`: it held none. */
export interface Reading {
  readonly version: number | undefined;
  readonly at: number;
}

/** One hub's side of an agreement. */
export interface Side extends Reading {
  /** Hash of the rows' content in the words of that hub, which may differ from the other hub's for one content. */
  readonly content: number;
  /** The version is of our writing, or a look earlier than the snapshot had seen it. */
  readonly isOwn: boolean;
}

/** Both hubs held the same content. */
export interface Entry {
  readonly kind: 'entry';
  readonly source: Side;
  readonly target: Side;
  /** Epoch seconds of the expiry agreed on; 0 where there is none. */
  readonly expiry: number;
  /**
   * The hub that a run of ours was about to write the record to and did not, or took it from and did not write it again.
   * Where it is missing there, its device did not remove it.
   */
  readonly owedTo?: 'source' | 'target' | undefined;
}

/** The record went: the readings are of the last look. It is compared by versions and times, never by content. */
export interface Tombstone {
  readonly kind: 'tombstone';
  readonly source: Reading;
  readonly target: Reading;
  /** The hub that it stays out of though the other one has shown a part of it since, which may be a later word. */
  readonly owedTo?: 'source' | 'target' | undefined;
}

/** What each hub held at the first look that left the record different. */
export interface Note {
  readonly source: Reading;
  readonly target: Reading;
}

/** `none`: its device registered by itself. `unknown`: met when the pair had no baseline at all. */
export type Agreed = Entry | Tombstone | 'none' | 'unknown';

/** The agreement, where both hubs are to hold the record. */
export function entryOf({ agreed }: Pick<BaselineRecord, 'agreed'>): Entry | undefined {
  return typeof agreed === 'object' && agreed.kind === 'entry' ? agreed : undefined;
}

/** Whether the target shows what was agreed on, and the snapshot is not older than that: then it is ours to replace. */
export function isAsAgreed({ agreed }: Pick<BaselineRecord, 'agreed'>, live: Shown, readAt: number): boolean {
  if (typeof agreed !== 'object' || agreed.target.version !== live.version || readAt < agreed.source.at) return false;
  // What is left of a record that went from the source is known by its version only.
  return agreed.kind === 'tombstone' || !isReworded(agreed.target, live);
}

/**
 * It shows the agreed version in other words: its device deleted it and registered again under its id, whose ETag began
 * again; or, where that is so of most records, the service writes in another form.
 */
export function isReworded(side: Pick<Side, 'version' | 'content'>, shown: Shown): boolean {
  const areKnown = !Number.isNaN(side.content) && !Number.isNaN(shown.content);
  return areKnown && side.version === shown.version && side.content !== shown.content;
}

/** The same where the target is without it by our own doing. What said that it is to stay out is void. */
export function owedToTarget(record: BaselineRecord): BaselineRecord {
  const { agreed } = record;
  if (typeof agreed === 'string') return { ...record, note: undefined };
  return { ...record, agreed: agreed.kind === 'entry' ? { ...agreed, owedTo: 'target' } : 'none' };
}

/** The record was seen in the hub. */
export function paidTo(hub: 'source' | 'target', record: BaselineRecord): BaselineRecord {
  const { agreed } = record;
  if (typeof agreed !== 'object' || agreed.owedTo !== hub) return record;
  return { ...record, agreed: { ...agreed, owedTo: undefined } };
}

/** Whether the expiry agreed on has passed. */
export function hasExpired(entry: Entry | undefined, nowMs: number): boolean {
  return entry !== undefined && entry.expiry > 0 && entry.expiry * 1000 < nowMs;
}

export interface BaselineRecord {
  readonly keyHash: number;
  readonly agreed: Agreed;
  readonly note: Note | undefined;
}

/** The same record for a restore in the other direction. */
export function turned({ keyHash, agreed, note }: BaselineRecord): BaselineRecord {
  return {
    keyHash,
    agreed: typeof agreed === 'string' ? agreed : turnedAgreement(agreed),
    note: note && { source: note.target, target: note.source },
  };
}

function turnedAgreement(agreed: Entry | Tombstone): Entry | Tombstone {
  const owedTo = otherOf(agreed.owedTo);
  return agreed.kind === 'entry'
    ? { ...agreed, source: agreed.target, target: agreed.source, owedTo }
    : { ...agreed, source: agreed.target, target: agreed.source, owedTo };
}

function otherOf(hub: Entry['owedTo']): Entry['owedTo'] {
  if (hub === undefined) return undefined;
  return hub === 'source' ? 'target' : 'source';
}
