import { areDistinct, chooseRows, distinctRows } from '../../registration/distinct.ts';
import { expectedForms } from '../../registration/expected.ts';
import { type RebuildFault, rebuildInstallation, withVariedExpiry } from '../../registration/installation.ts';
import { isInstallation, type RecordOfRows } from '../../registration/record.ts';
import { canonicalRow, descriptionForWrite, hasRepairTag, type Registration } from '../../registration/registration.ts';

/**
 * One call to the target hub. A row is deleted if it is as it was seen; an installation cannot be made to depend on
 * that.
 */
export type Write =
  | {
      readonly kind: 'rowDeletion';
      readonly id: string;
      readonly etag: number;
      /** See `deletionsFrom`. */
      readonly key?: string;
    }
  | { readonly kind: 'installationDeletion'; readonly id: string; readonly asSeen?: AsSeen }
  | {
      readonly kind: 'registration';
      /** Of the snapshot. */
      readonly id: string;
      readonly xml: string;
      /** Over that row, if it still has the ETag it was listed with. */
      readonly over?: Pick<Registration, 'id' | 'etag'>;
      readonly asSeen?: AsSeen;
    }
  | { readonly kind: 'installation'; readonly id: string; readonly json: string; readonly asSeen?: AsSeen };

export function deletionOf({ id, etag }: Pick<Registration, 'id' | 'etag'>): Extract<Write, { kind: 'rowDeletion' }> {
  return { kind: 'rowDeletion', id, etag };
}

/** The rows are to go from the record with that key: where one has become another record's, it is gone from this one. */
export function deletionsFrom(key: string, rows: Iterable<Registration>): Write[] {
  return [...rows].map((row) => ({ ...deletionOf(row), key }));
}

/**
 * Version hashes: the hub is asked right before what lives there, and nothing is written over a row of any other
 * version.
 */
export type AsSeen = readonly number[];

/** What is to become of one record of the snapshot. */
export type RecordPlan =
  | { readonly kind: 'unchanged' | 'keptLive'; readonly collapsed: number }
  | {
      readonly kind: 'create' | 'complete' | 'deduplicate';
      readonly writes: readonly Write[];
      readonly collapsed: number;
    }
  /** A row of this run's is taken back: its device has registered by itself. */
  | { readonly kind: 'takeBack'; readonly writes: readonly Write[]; readonly collapsed: number }
  | { readonly kind: 'impossible'; readonly fault: RebuildFault; readonly collapsed: number };

export interface PlanOptions {
  readonly expiryFloorAtMs: number;
  /** True for a handle that lives in the target under a key the snapshot does not have it under. */
  readonly livesElsewhere: (row: Registration) => boolean;
  /** The ids this run asked the target for in place of one of the snapshot's, oldest first. */
  readonly mintedFor: (id: string) => readonly string[];
  /** The record was written before and did not appear: an identical installation PUT may be ignored, so vary it. */
  readonly isRepair: boolean;
}

/**
 * Compares a record with what lives in the target under the same key. What is live is newer: a record that lives and
 * differs is left alone. A device whose live rows are some of the snapshot's is completed, since a step that died half
 * way leaves it so. An installation with the tag that earlier versions left is ours, and written as it should be.
 */
export function planRecord(record: RecordOfRows, live: RecordOfRows | undefined, options: PlanOptions): RecordPlan {
  if (live === undefined) return planNew(record, options);
  const { rows: wanted, duplicates: collapsed } = chooseRows(record.rows);
  const writes = deletionsOfTwins(wanted.values(), live.rows, options.mintedFor);
  if (writes.length > 0) return { kind: 'deduplicate', writes, collapsed };
  if (isInstallation(record) && live.rows.some(({ tags }) => hasRepairTag(tags))) {
    return toWrites('complete', record, record.rows, options, collapsed);
  }
  const expected = expectedForms(record, wanted);
  const liveForms = new Set(distinctRows(live.rows).keys());
  const missing = [...expected].filter((form) => !liveForms.has(form));
  const isSubset = liveForms.size + missing.length === expected.size;
  if (isSubset && missing.length === 0) return { kind: 'unchanged', collapsed };
  if (!isSubset || (isInstallation(record) && !options.isRepair)) return { kind: 'keptLive', collapsed };
  const rows = missing.flatMap((form) => wanted.get(form) ?? []);
  return toWrites('complete', record, rows, options, collapsed);
}

/** Nothing lives to be compared with, so canonical forms are needed only where rows of the record could be one. */
function planNew(record: RecordOfRows, options: PlanOptions): RecordPlan {
  const chosen = areDistinct(record.rows) ? undefined : chooseRows(record.rows);
  const { rows, collapsed } =
    chosen === undefined
      ? { rows: record.rows, collapsed: 0 }
      : { rows: [...chosen.rows.values()], collapsed: chosen.duplicates };
  if (record.rows.some(options.livesElsewhere)) return { kind: 'keptLive', collapsed };
  return toWrites('create', record, rows, options, collapsed);
}

/**
 * Rows this run wrote twice: under one id, whose answer was lost, and under a new one after the hub refused the
 * repeated call (410). The device would be pushed twice. The one under the snapshot's id stays, since app backends may
 * know it.
 */
function deletionsOfTwins(
  wanted: Iterable<Registration>,
  live: readonly Registration[],
  mintedFor: PlanOptions['mintedFor'],
): Write[] {
  const liveById = new Map(live.map((row) => [row.id, row]));
  return [...wanted].flatMap(({ id }) => {
    const [first, ...others] = [id, ...mintedFor(id)].flatMap((written) => liveById.get(written) ?? []);
    if (first === undefined) return [];
    const form = canonicalRow(first.xml);
    return others.filter(({ xml }) => canonicalRow(xml) === form).map(deletionOf);
  });
}

function toWrites(
  kind: 'create' | 'complete',
  record: RecordOfRows,
  rows: readonly Registration[],
  options: PlanOptions,
  collapsed: number,
): RecordPlan {
  if (!isInstallation(record)) {
    const writes = rows.map(({ id, xml }) => ({ kind: 'registration', id, xml: descriptionForWrite(xml) }) as const);
    return { kind, writes, collapsed };
  }
  const rebuilt = rebuildInstallation(record.rows, options.expiryFloorAtMs);
  if (typeof rebuilt === 'string') return { kind: 'impossible', fault: rebuilt, collapsed };
  const json = JSON.stringify(options.isRepair ? withVariedExpiry(rebuilt.body) : rebuilt.body);
  return { kind, writes: [{ kind: 'installation', id: rebuilt.id, json }], collapsed };
}
