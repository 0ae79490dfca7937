import { markName } from '../../core/paths.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App } from '../app.ts';
import { putMark } from './marks.ts';
import { findSnapshot, findSnapshotOf } from './store.ts';

/** Keeps a snapshot from retention for as long as the pin stays. Pinning twice is the same. */
export async function pinSnapshot(app: App, asked: string): Promise<Manifest> {
  const manifest = await findSnapshot(app, asked);
  await putMark(app, manifest, 'pin');
  // Retention may have looked at the pins just before and removed the snapshot: that is reported, not hidden.
  return findSnapshotOf(app, manifest.hub, manifest.id);
}

export async function unpinSnapshot(app: App, asked: string): Promise<Manifest> {
  const manifest = await findSnapshot(app, asked);
  await app.blobs.remove(markName(manifest.hub, manifest.id, 'pin'));
  return manifest;
}
