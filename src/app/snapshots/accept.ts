import { DrError } from '../../core/errors.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App } from '../app.ts';
import { putMark } from './marks.ts';
import { findSnapshot } from './store.ts';

/**
 * Makes the counts of a suspect snapshot those that later ones are judged by. It stays suspect: the next backup alike is
 * good. Accepting twice, or a good one, changes nothing. Throws `BadRequest` for the snapshot of an empty hub.
 */
export async function acceptSnapshot(app: App, asked: string): Promise<Manifest> {
  const manifest = await findSnapshot(app, asked);
  if (manifest.counts.records === 0) {
    const message = `Snapshot ${manifest.id} is of an empty hub, which is never usual. Restore an earlier one, or wait until devices register.`;
    throw new DrError('BadRequest', message, { target: 'snapshot' });
  }
  if (manifest.health === 'suspect') await putMark(app, manifest, 'accepted');
  app.log.info('snapshot accepted', { snapshotId: manifest.id, records: manifest.counts.records });
  return manifest;
}
