import { DrError, orFault } from '../../core/errors.ts';
import { latestName } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App } from '../app.ts';
import { documents } from '../stored/documents.ts';

/** What `latest.json` says: for readers outside, and a second opinion on the newest manifest. */
export interface Latest {
  readonly snapshotId?: string;
  readonly digest?: string;
  /** Why it says nothing. A missing one has none: there may be no good snapshot yet. */
  readonly fault?: DrError;
  /** Of the blob; absent when there is none. */
  readonly etag?: string;
}

/** A caller that expects none asks once only. */
export async function readLatest(app: App, hub: HubRef, how?: 'mayBeMissing'): Promise<Latest> {
  const found = await orFault(documents.latest.look(app, latestName(hub), how));
  if (found === undefined) return {};
  if (found instanceof DrError) return { fault: found };
  return 'fault' in found ? found : { ...found.value, etag: found.etag };
}

/** Takes effect only while the blob still has the ETag it was read with. */
export async function storeLatest(app: App, { id, hub, digest }: Manifest, etag: string | undefined) {
  return documents.latest.write(app, latestName(hub), { snapshotId: id, digest }, { etag });
}
