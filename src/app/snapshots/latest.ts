import { z } from 'zod';
import { DrError } from '../../core/errors.ts';
import { parseJson, parseWith } from '../../core/parse.ts';
import { latestName } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App } from '../app.ts';
import { openDocument, sealDocument } from '../stored/codec.ts';

const latestSchema = z.strictObject({
  formatVersion: z.literal(1),
  snapshotId: z.string(),
  /** The manifest's own. */
  digest: z.string(),
});

/** What `latest.json` says: for readers outside, and a second opinion on the newest manifest. */
export interface Latest {
  readonly snapshotId?: string;
  readonly digest?: string;
  /** Why it says nothing. A missing one has none: there may be no good snapshot yet. */
  readonly fault?: DrError;
  /** Of the blob; absent when there is none. */
  readonly etag?: string;
}

/** Whoever takes a missing one for granted asks once only. */
export async function readLatest(app: App, hub: HubRef, how?: 'mayBeMissing'): Promise<Latest> {
  const name = latestName(hub);
  const blob = await app.blobs.get(name, how);
  if (blob === undefined) return {};
  const { etag } = blob;
  const source = {
    code: 'StoredDocumentInvalid',
    what: `document ${name}`,
    hint: 'The next backup mends it.',
    target: name,
  } as const;
  try {
    const { snapshotId, digest } = parseWith(latestSchema, parseJson(openDocument(name, blob.bytes), source), source);
    return { snapshotId, digest, etag };
  } catch (fault) {
    if (fault instanceof DrError) return { fault, etag };
    throw fault;
  }
}

/** Takes effect only while the blob still has the ETag it was read with. */
export async function storeLatest(app: App, { id, hub, digest }: Manifest, etag: string | undefined) {
  const name = latestName(hub);
  const bytes = sealDocument(name, JSON.stringify({ formatVersion: 1, snapshotId: id, digest }));
  return app.blobs.put(name, bytes, etag === undefined ? 'new' : { etag });
}
