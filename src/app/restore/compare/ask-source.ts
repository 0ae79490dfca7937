import { DrError } from '../../../core/errors.ts';
import { installationIdIn, type RecordOfRows, recordKey } from '../../../core/registration/record.ts';
import type { Registration } from '../../../core/registration/registration.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf } from '../../app.ts';
import { findInstallationRows, findRow, within } from '../../listing/hub-rows.ts';
import { readMintedIds } from '../outcomes/minted-ids.ts';

/** For one question: the restore can do without. */
export const PATIENCE_MS = 5_000;

/** What the source shows of a record when it is asked, given the target's rows of it. */
export type FindInSource = (record: RecordOfRows) => Promise<readonly Registration[]>;

/** A source that has not answered is not asked again by the run. Throws what is no fault of the source. */
export async function askSource<T>(app: App, run: RestoreRun, ask: () => Promise<T>): Promise<T | 'silent'> {
  if (app.memory.silentSources.has(run.id)) return 'silent';
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.memory.silentSources.add(run.id);
    app.log.info('source does not answer', { runId: run.id, code: error.code });
    return 'silent';
  }
}

/** Asks the source of a shard's records, each question within a few seconds. Throws what the source's client throws. */
export async function openSource(app: App, run: RestoreRun, shard: number): Promise<FindInSource> {
  const source = hubOf(app, run.request.sourceHub);
  const otherIds = await readOtherIds(app, run, shard);
  return async ({ key, rows }) => {
    const installationId = installationIdIn(key);
    if (installationId !== undefined) return findInstallationRows(source, installationId, within(app, PATIENCE_MS));
    const all: Registration[] = [];
    for (const id of rows.flatMap((row) => [row.id, ...otherIds(row.id)])) {
      const found = await findRow(source, id, within(app, PATIENCE_MS));
      // Under its id there may be another handle by now: then this one is gone.
      if (found !== undefined && recordKey(found) === key) all.push(found);
    }
    return all;
  };
}

/** Under which ids the source may hold a registration of the target's. */
type OtherIds = (id: string) => readonly string[];

/** Either hub may have refused the other's ids, and given out new ones in place of them. */
async function readOtherIds(app: App, run: RestoreRun, shard: number): Promise<OtherIds> {
  const inSource = await readMintedIds(app, { ...run, hub: run.request.sourceHub }, shard);
  const inTarget = await readMintedIds(app, run, shard);
  const originals = new Map([...inTarget].flatMap(([id, minted]) => minted.map((one) => [one, [id]] as const)));
  return (id) => [...(inSource.get(id) ?? []), ...(originals.get(id) ?? [])];
}
