import type { CallOptions, Hub } from '../../../core/ports.ts';
import { installationIdIn, type RecordOfRows, recordKey } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { MintedFor } from '../../../core/restore/plan/write.ts';
import { findInstallationRows, findRow } from '../../listing/hub-rows.ts';

/**
 * What the hub shows of a record when it is asked by its tag, or by its registration ids; beside that, what a listing
 * has shown under other ids.
 */
export async function askFor(
  hub: Hub,
  { key, rows }: RecordOfRows,
  listed: RecordOfRows | undefined,
  mintedFor: MintedFor,
  call: CallOptions,
): Promise<RecordOfRows | undefined> {
  const installationId = installationIdIn(key);
  const found =
    installationId === undefined
      ? await askForAll(
          hub,
          rows.flatMap(({ id }) => [id, ...mintedFor(id)]),
          listed,
          call,
        )
      : await findInstallationRows(hub, installationId, call);
  return found.length === 0 ? undefined : { key, rows: found };
}

/** Likewise, without what has become another record's under its id. */
export async function findNow(...asked: Parameters<typeof askFor>): Promise<RecordOfRows | undefined> {
  const [, { key }] = asked;
  return splitByKey(key, (await askFor(...asked))?.rows ?? [])[0];
}

/** The record's rows, and those that have become another record's. */
export function splitByKey(
  key: string,
  rows: readonly Registration[],
): readonly [record: RecordOfRows | undefined, others: readonly Registration[]] {
  const own = rows.filter((row) => recordKey(row) === key);
  return [own.length === 0 ? undefined : { key, rows: own }, rows.filter((row) => recordKey(row) !== key)];
}

async function askForAll(
  hub: Hub,
  ids: readonly string[],
  listed: RecordOfRows | undefined,
  call: CallOptions,
): Promise<Registration[]> {
  const found: Registration[] = [];
  const asked = new Set(ids);
  for (const id of asked) {
    const row = await findRow(hub, id, call);
    if (row !== undefined) found.push(row);
  }
  return [...found, ...(listed?.rows ?? []).filter(({ id }) => !asked.has(id))];
}
