import { DrError } from '../../core/errors.ts';
import { erasedName } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import type { RecordOfRows } from '../../core/registration/record.ts';
import { comparable, type Erasure, type ErasureKind, identifiersOf } from '../../core/request/erasure.ts';
import { type App, toInstant } from '../app.ts';
import { sha256Hex } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';

/**
 * Erasures that hold for a snapshot lie beside its shards, as hashes with a key of their own: they go with the snapshot,
 * and the listing that checks the shards before each restore shows whether there are any.
 */

/** Tells which records of a snapshot no restore may bring back. Throws `StoredDocumentInvalid` when that is not known. */
export async function openErased(
  app: Pick<App, 'blobs' | 'world'>,
  hub: HubRef,
  snapshotId: string,
): Promise<(record: RecordOfRows) => boolean> {
  const { key, erasures } = await documents.erased.read(app, erasedName(hub, snapshotId));
  const hashesByKind = [...Map.groupBy(erasures, ({ kind }) => kind)].map(
    ([kind, all]) => [kind, new Set(all.map(({ hash }) => hash))] as const,
  );
  return (record) =>
    hashesByKind.some(([kind, hashes]) =>
      identifiersOf(record, kind).some((identifier) => hashes.has(hashOf(key, kind, identifier))),
    );
}

/** Two erasures at once are more than are usual. */
const MOST_TRIES = 10;

/** Once it is stored, no restore that starts brings back from the snapshot what it names. The same again changes nothing. */
export async function addErasure(app: App, hub: HubRef, snapshotId: string, { kind, value }: Erasure): Promise<void> {
  const name = erasedName(hub, snapshotId);
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const found = await documents.erased.find(app, name);
    const { key, erasures } = found?.value ?? { key: newKey(app), erasures: [] };
    const hash = hashOf(key, kind, comparable(value));
    if (erasures.some((one) => one.kind === kind && one.hash === hash)) return;
    const added = { kind, hash, at: toInstant(app.world.storageNow()) };
    const stored = { key, erasures: [...erasures, added] };
    if ((await documents.erased.write(app, name, stored, { etag: found?.etag })) !== 'conflict') return;
  }
  throw new DrError('StorageUnavailable', `Others keep changing ${name}. Erase again.`, {
    retryable: true,
    target: name,
  });
}

/** Of 24 random bits each. */
const KEY_PARTS = 11;

function newKey({ world }: App): string {
  return Array.from({ length: KEY_PARTS }, () => world.newSuffix()).join('');
}

/** The key has one length, so that no other kind and value give the same text. */
function hashOf(key: string, kind: ErasureKind, identifier: string): string {
  return sha256Hex(`${key} ${kind} ${identifier}`);
}
