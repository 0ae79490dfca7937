import { DrError, RecordFault } from '../../../core/errors.ts';
import { installationIdIn, type RecordOfRows, recordKey } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf } from '../../app.ts';
import { findInstallationRows, findRow, within } from '../../listing/hub-rows.ts';
import { readIdsInSource } from '../outcomes/minted-ids.ts';

/** For one question: the restore can do without. */
export const PATIENCE_MS = 5_000;

/** What the source shows of a record when it is asked, given the target's rows of it. */
export type FindInSource = (record: RecordOfRows) => Promise<readonly Registration[]>;

/** A source that has not answered is not asked again by the run, unless that is one record's trouble. Throws what is no fault of the source. */
export async function askSource<T>(app: App, run: RestoreRun, ask: () => Promise<T>): Promise<T | 'silent'> {
  if (app.memory.silentSources.has(run.id)) return 'silent';
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    if (error instanceof RecordFault) return 'silent';
    app.memory.silentSources.add(run.id);
    app.log.info('source does not answer', { runId: run.id, code: error.code });
    return 'silent';
  }
}

/** Asks the source of a shard's records, each question within a few seconds. Throws what the source's client throws. */
export async function openSource(app: App, run: RestoreRun, shard: number): Promise<FindInSource> {
  const source = hubOf(app, run.request.sourceHub);
  const idsInSource = await readIdsInSource(app, run, shard);
  return async ({ key, rows }) => {
    const installationId = installationIdIn(key);
    if (installationId !== undefined) return findInstallationRows(source, installationId, within(app, PATIENCE_MS));
    const all: Registration[] = [];
    for (const id of rows.flatMap((row) => [row.id, ...(idsInSource.get(row.id) ?? [])])) {
      const found = await findRow(source, id, within(app, PATIENCE_MS));
      // Under its id there may be another handle by now: then this one is gone.
      if (found !== undefined && recordKey(found) === key) all.push(found);
    }
    return all;
  };
}
