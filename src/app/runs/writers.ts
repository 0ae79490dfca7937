import { DrError } from '../../core/errors.ts';
import { passOfName, phaseFolder, shardOfName } from '../../core/paths.ts';
import type { BlobEntry } from '../../core/ports.ts';
import { writesLeftMs } from '../../core/restore/totals.ts';
import { isRenewed } from '../../core/run/live.ts';
import type { Run } from '../../core/run/run.ts';
import { isSyncRunId } from '../../core/run/sync.ts';
import { type App, toInstant } from '../app.ts';
import { liveIn } from './living-steps.ts';

/**
 * How long steps of a restore may yet write to its hub, by what they stored before their first write. Each withdraws its
 * own statement once it has stopped; that of a step that died holds until its deadline. A step stores its statement
 * first and reads the run afterwards, so none is missed once the run is stored as over. Of a sync only steps count whose
 * process renews their leases: any other begins no write before it has read the run again, and an operator who needs the
 * standby now does not wait for it, unless `isOfAll`.
 */
export async function writersLeftMs(
  app: App,
  { kind, id }: Pick<Run, 'kind' | 'id'>,
  isOfAll = !isSyncRunId(id),
): Promise<number> {
  if (kind !== 'restore') return 0;
  const results = await app.blobs.list(phaseFolder(kind, id, 'reconcile'));
  const nowMs = app.world.storageNow();
  const counted = isOfAll ? results : ofRenewedLeases(results, { kind, id });
  return counted.reduce((most, entry) => Math.max(most, writesLeftMs(entry, nowMs)), 0);
}

function ofRenewedLeases(results: readonly BlobEntry[], run: Pick<Run, 'kind' | 'id'>): readonly BlobEntry[] {
  const renewed = new Set(
    liveIn(results, run)
      .filter(isRenewed)
      .map(({ phase, shard }) => stepName(phase.replace(/\..*/, ''), shard)),
  );
  return results.filter(({ name }) => renewed.has(stepName(`reconcile#${passOfName(name)}`, shardOfName(name))));
}

function stepName(phase: string, shard: number): string {
  return `${phase} ${shard}`;
}

/** Throws `RunNotOver` while steps of a restore that is over may still write. */
export async function refuseWhileWriting(app: App, run: Pick<Run, 'kind' | 'id'>, isOfAll?: boolean): Promise<void> {
  const waitMs = await writersLeftMs(app, run, isOfAll);
  if (waitMs <= 0) return;
  const until = toInstant(app.world.storageNow() + waitMs);
  const message = `The restore '${run.id}' has ended, but steps of it may still write to the hub until ${until}. Try again then.`;
  throw new DrError('RunNotOver', message, { target: run.id, retryable: true, retryAfterMs: waitMs });
}
