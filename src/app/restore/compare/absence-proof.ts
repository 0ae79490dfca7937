import { DrError } from '../../../core/errors.ts';
import type { Hub } from '../../../core/ports.ts';
import { installationIdIn, keyHashOf, type RecordOfRows, recordKey } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import { type App, hubOf } from '../../app.ts';
import { findInstallationRows, findRow, holdsRows, within } from '../../listing/hub-rows.ts';
import { readMintedIds } from '../outcomes/minted-ids.ts';
import { readLiveRecords } from './live-rows.ts';
import { readKeysOfBoth } from './newest-keys.ts';

/** Of a shard's doomed this many are asked for; when there are more, they are spread over all. */
const ASKED = 20;
const PATIENCE_MS = 5_000;

/**
 * Which of the records that are to be withdrawn the source provably no longer holds, by hash. While it answers, it is
 * asked for them, and one that it still has saves all of them: then its listing has passed over rows. While it does
 * not, only what its two newest good snapshots both do not hold is proven, or all of them where the request says so.
 */
export async function proveAbsence(
  app: App,
  run: RestoreRun,
  shard: number,
  doomed: readonly number[],
): Promise<ReadonlySet<number>> {
  if (doomed.length === 0) return new Set();
  const answer = await askSource(app, run, shard, new Set(doomed));
  if (answer === 'has one') return new Set();
  if (answer === 'has none' || run.request.leftovers === 'withdraw') return new Set(doomed);
  const held = await readKeysOfBoth(app, run, shard);
  return new Set(held === undefined ? [] : doomed.filter((keyHash) => !held.has(keyHash)));
}

async function askSource(
  app: App,
  run: RestoreRun,
  shard: number,
  doomed: ReadonlySet<number>,
): Promise<'has one' | 'has none' | 'silent'> {
  if (app.memory.silentSources.has(run.id)) return 'silent';
  const live = [...(await readLiveRecords(app, run, shard)).values()];
  const records = sampleOf(live.filter(({ key }) => doomed.has(keyHashOf(key))));
  const source = hubOf(app, run.request.sourceHub);
  const otherIds = await readOtherIds(app, run, shard);
  try {
    // One that was deleted answers every question about a registration as if that were gone.
    if (!(await holdsRows(source, within(app, PATIENCE_MS)))) return 'silent';
    for (const record of records) {
      if (await isInSource(app, source, record, otherIds)) {
        app.log.warn('withdrawals stopped: the source still holds one of them', { runId: run.id, shard });
        return 'has one';
      }
    }
    return 'has none';
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.memory.silentSources.add(run.id);
    app.log.info('source does not answer', { runId: run.id, code: error.code });
    return 'silent';
  }
}

function sampleOf(records: readonly RecordOfRows[]): RecordOfRows[] {
  const step = Math.max(1, Math.floor(records.length / ASKED));
  return records.filter((_, index) => index % step === 0).slice(0, ASKED);
}

async function isInSource(app: App, source: Hub, { key, rows }: RecordOfRows, otherIds: OtherIds): Promise<boolean> {
  const options = within(app, PATIENCE_MS);
  const installationId = installationIdIn(key);
  if (installationId !== undefined) return (await findInstallationRows(source, installationId, options)).length > 0;
  for (const id of rows.flatMap((row) => [row.id, ...otherIds(row.id)])) {
    const found = await findRow(source, id, options);
    // Under its id there may be another handle by now: then this one is gone.
    if (found !== undefined && recordKey(found) === key) return true;
  }
  return false;
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
