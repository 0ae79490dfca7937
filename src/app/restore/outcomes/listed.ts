import { DrError } from '../../../core/errors.ts';
import { passOfName, phaseFolder, shardOfName } from '../../../core/paths.ts';
import type { BlobFacts } from '../../../core/ports.ts';
import { installationIdIn } from '../../../core/registration/record.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { sha256Hex } from '../../stored/codec.ts';

/** What lists of a restore's records have in common: they are read a page at a time, in the snapshot's order. */

export const PAGE = 100;

/** Where a page begins: the `next` of the one before. */
export function parsePosition(text: string): { shard: number; index: number } {
  const match = /^(\d{1,4}):(\d{1,9})$/.exec(text);
  if (match !== null) return { shard: Number(match[1]), index: Number(match[2]) };
  throw new DrError('BadRequest', "The parameter 'from' must be the 'next' of a page before.", { target: 'from' });
}

/** Of each shard, in order, the result of its newest pass: it carries what those before have found. */
export async function newestResults(app: App, run: RestoreRun) {
  const newest = new Map<number, { readonly shard: number; readonly name: string; readonly facts: BlobFacts }>();
  const entries = await app.blobs.list(phaseFolder('restore', run.id, 'reconcile'));
  const results = entries.filter(({ name }) => shardOfName(name) >= 0);
  for (const { name, facts } of results.toSorted((a, b) => passOfName(a.name) - passOfName(b.name))) {
    const shard = shardOfName(name);
    newest.set(shard, { shard, name, facts });
  }
  return [...newest.values()].sort((a, b) => a.shard - b.shard);
}

/** `installation {id}`, or `device {platform} {first digits of the handle's SHA-256}`: never a device token. */
export function nameOfKey(key: string | undefined): string {
  if (key === undefined) return 'unknown: its snapshot was deleted';
  const installationId = installationIdIn(key);
  if (installationId !== undefined) return `installation ${installationId}`;
  const [, platform = '', ...handle] = key.split(':');
  return `device ${platform} ${sha256Hex(handle.join(':')).slice(0, 12)}`;
}
