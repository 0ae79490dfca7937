import { isShorter } from '../../fingerprint/comparison.ts';
import { expiryOf, recordExpiryOf, versionHashOf } from '../../fingerprint/row.ts';
import { areDistinct, distinctRows, isSameRegistration } from '../../registration/distinct.ts';
import { type RebuildFault, rebuildInstallation, withVariedExpiry } from '../../registration/installation.ts';
import { installationIdIn, isInstallation, type RecordOfRows } from '../../registration/record.ts';
import { canonicalRow, descriptionForWrite, type Registration } from '../../registration/registration.ts';
import { deletionsFrom, type MintedFor, type Write } from './write.ts';

/** What planning the writes of the first pass goes by. */
export interface Planning {
  readonly expiryFloorAtMs: number;
  /** The target held nothing at the first look: it need not be asked before a record is created. */
  readonly isTargetEmpty: boolean;
  readonly elsewhere: Elsewhere;
  readonly mintedFor: MintedFor;
}

/** What lives in the target under other keys than the snapshot has it under. */
export interface Elsewhere {
  /** Its handle, or its id, is that of a row which is not as it was agreed on: its device's own. */
  isTaken(row: Registration): boolean;
  /** Version hashes of the rows under that id which are as they were agreed on. */
  oursUnder(id: string): readonly number[];
}

export type Writes = readonly Write[] | RebuildFault;

/** Nothing lives under its key. */
export function planCreation(record: RecordOfRows, planning: Planning): Writes {
  if (isInstallation(record)) return planInstallation(record, planning, planning.isTargetEmpty ? undefined : []);
  const rows = areDistinct(record.rows) ? record.rows : [...distinctRows(record.rows).values()];
  return rows.map((row) => creationOf(row, planning));
}

/** What lives there is brought to what the record is, as far as it is still as it was listed. */
export function planUpdate(record: RecordOfRows, live: RecordOfRows, planning: Planning): Writes {
  if (isInstallation(record)) return planInstallation(record, planning, live.rows.map(versionHashOf));
  const liveById = new Map(live.rows.map((row) => [row.id, row]));
  const writes: Write[] = [];
  const kept = new Set<string>();
  for (const [form, row] of distinctRows(record.rows)) {
    const found = [row.id, ...planning.mintedFor(row.id)].flatMap((id) => liveById.get(id) ?? [])[0];
    if (found === undefined) writes.push(creationOf(row, planning));
    else {
      kept.add(found.id);
      if (canonicalRow(found.xml) !== form) writes.push(overwriteOf(row, found));
    }
  }
  const surplus = live.rows.filter(({ id }) => !kept.has(id));
  return [...writes, ...deletionsFrom(live.key, surplus)];
}

/**
 * The rows that an update takes from the target, and that the snapshot does not show: not one of two that became the
 * same. The native row of an installation is written with each of its others.
 */
export function rowsTakenBy(
  writes: readonly Write[],
  record: RecordOfRows,
  { rows }: RecordOfRows,
  mintedFor: MintedFor,
): readonly Registration[] {
  if (isInstallation(record)) {
    const others = rows.filter(({ isTemplate, tileName }) => isTemplate || tileName !== undefined);
    return others.filter((row) => !record.rows.some((one) => isSameRegistration(one, row)));
  }
  const ids = new Set(writes.flatMap((write) => (write.kind === 'rowDeletion' ? [write.id] : [])));
  const shown = new Set(record.rows.flatMap(({ id }) => [id, ...mintedFor(id)]));
  return rows.filter(({ id }) => ids.has(id) && !shown.has(id));
}

/**
 * A device outside installations of which only some rows live, as a step that died half way leaves it: the missing
 * ones. `undefined` when that is not so.
 */
export function planMissing(record: RecordOfRows, live: RecordOfRows, planning: Planning): Writes | undefined {
  if (isInstallation(record)) return undefined;
  const wanted = distinctRows(record.rows);
  const liveForms = distinctRows(live.rows);
  if ([...liveForms.keys()].some((form) => !wanted.has(form))) return undefined;
  return [...wanted].flatMap(([form, row]) => (liveForms.has(form) ? [] : [creationOf(row, planning)]));
}

/**
 * The same content under other ids than the snapshot's, as plain rows. `undefined` when all ids are right. A move that
 * stopped half way has left a row under either id: with `removesTwins` only the snapshot's stays.
 */
export function planMove(
  record: RecordOfRows,
  live: RecordOfRows,
  planning: Planning,
  removesTwins = false,
): readonly Write[] | undefined {
  if (isInstallation(record)) return undefined;
  const idsOf = ({ id }: Registration): readonly string[] => [id, ...planning.mintedFor(id)];
  const shown = new Set(record.rows.flatMap(idsOf));
  const liveByForm = distinctRows(live.rows);
  const liveOf = Map.groupBy(live.rows, ({ xml }) => canonicalRow(xml));
  const writes = [...distinctRows(record.rows)].flatMap(([form, row]): Write[] => {
    const same = liveOf.get(form) ?? [];
    const isRight = same.some(({ id }) => idsOf(row).includes(id));
    const found = isRight ? undefined : liveByForm.get(form);
    const twins = removesTwins ? same.filter((one) => one !== found && !shown.has(one.id)) : [];
    if (found === undefined) return isRight ? deletionsFrom(live.key, twins) : [];
    return [creationOf(row, planning), ...deletionsFrom(live.key, [found, ...twins])];
  });
  return writes.length === 0 ? undefined : writes;
}

/**
 * The same once more, so that it lives as long as the hub lets it. A hub may ignore an identical installation: one that
 * never expires varies, any other has another expiry now.
 */
export function planRenewal(record: RecordOfRows, live: RecordOfRows, planning: Planning): Writes {
  const isEndless = expiryOfRecord(record) === 0;
  if (isInstallation(record)) return planInstallation(record, planning, live.rows.map(versionHashOf), isEndless);
  return live.rows.map((row) => overwriteOf(row, row));
}

/** Removes from the target what the snapshot no longer holds, while it is as it was listed. */
export function planWithdrawal(live: RecordOfRows): readonly Write[] {
  const id = installationIdIn(live.key);
  if (id !== undefined) return [{ kind: 'installationDeletion', id, asSeen: live.rows.map(versionHashOf) }];
  return deletionsFrom(live.key, live.rows);
}

export function isShorterThan(
  live: RecordOfRows,
  record: RecordOfRows,
  { expiryFloorAtMs }: Pick<Planning, 'expiryFloorAtMs'>,
): boolean {
  return isShorter(
    expiryOfRecord(record),
    live.rows.map((row) => ({ expiry: expiryOf(row) })),
    expiryFloorAtMs / 1000,
  );
}

/** Whether a row ends before what never ends in the snapshot would have to live until. */
export function endsSoon(live: RecordOfRows, { expiryFloorAtMs }: Planning): boolean {
  return live.rows.map(expiryOf).some((expiry) => expiry > 0 && expiry < expiryFloorAtMs / 1000);
}

function expiryOfRecord(record: RecordOfRows): number {
  return recordExpiryOf(isInstallation(record), record.rows.map(expiryOf));
}

export function creationOf({ id, xml }: Registration, { isTargetEmpty, elsewhere, mintedFor }: Planning): Write {
  const write = { kind: 'registration', id, xml: descriptionForWrite(xml) } as const;
  // It may be written under an id that the target gave out in its place.
  return isTargetEmpty ? write : { ...write, asSeen: [id, ...mintedFor(id)].flatMap(elsewhere.oursUnder) };
}

export function overwriteOf({ id, xml }: Registration, found: Registration): Write {
  return { kind: 'registration', id, over: { id: found.id, etag: found.etag }, xml: descriptionForWrite(xml) };
}

export function planInstallation(
  { rows }: RecordOfRows,
  { expiryFloorAtMs }: Planning,
  asSeen: readonly number[] | undefined,
  isVaried = false,
): Writes {
  const rebuilt = rebuildInstallation(rows, expiryFloorAtMs);
  if (typeof rebuilt === 'string') return rebuilt;
  const json = JSON.stringify(isVaried ? withVariedExpiry(rebuilt.body) : rebuilt.body);
  return [{ kind: 'installation', id: rebuilt.id, json, ...(asSeen === undefined ? {} : { asSeen }) }];
}
