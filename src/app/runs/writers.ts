import { DrError } from '../../core/errors.ts';
import { phaseFolder } from '../../core/paths.ts';
import { writesUntilOf } from '../../core/restore/totals.ts';
import type { Run } from '../../core/run/run.ts';
import { type App, toInstant } from '../app.ts';

/**
 * Until when steps of a restore may still write to its hub (epoch ms), by what they stored before their first write.
 * Each withdraws its own statement once it has stopped; that of a step that died holds until its deadline. A step
 * stores its statement first and reads the run afterwards, so none is missed once the run is stored as over.
 */
export async function writersUntil(app: App, { kind, id }: Pick<Run, 'kind' | 'id'>): Promise<number> {
  if (kind !== 'restore') return 0;
  const results = await app.blobs.list(phaseFolder(kind, id, 'reconcile'));
  return results.reduce((latest, { facts }) => Math.max(latest, writesUntilOf(facts)), 0);
}

/** Throws `RunNotOver` while steps of a restore that is over may still write. */
export async function refuseWhileWriting(app: App, run: Pick<Run, 'kind' | 'id'>): Promise<void> {
  const untilMs = await writersUntil(app, run);
  const waitMs = untilMs - app.world.now();
  if (waitMs <= 0) return;
  const message = `The restore '${run.id}' has ended, but steps of it may still write to the hub until ${toInstant(untilMs)}. Try again then.`;
  throw new DrError('RunNotOver', message, { target: run.id, retryable: true, retryAfterMs: waitMs });
}
