import { markName } from '../../core/paths.ts';
import type { BlobFacts } from '../../core/ports.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, emit, toInstant } from '../app.ts';
import { toBytes } from '../stored/codec.ts';

/** What showed that a snapshot can, or cannot, be restored. */
export interface Proof {
  readonly how: 'verified' | 'drill' | 'restore';
  /** ISO instant. */
  readonly at: string;
  readonly runId: string;
  /** False when the snapshot was found damaged. */
  readonly isSound: boolean;
  /** Of the snapshot, so that the marks alone tell the newest good one that is proven. */
  readonly health: Manifest['health'];
  readonly readStartedAt: string;
}

/** The newest proof counts, whether it speaks for the snapshot or against it. */
export async function storeProof(
  app: App,
  manifest: Manifest,
  { how, runId, isSound }: Pick<Proof, 'how' | 'runId' | 'isSound'>,
): Promise<void> {
  const { hub, id, health, readStartedAt } = manifest;
  const facts = {
    how,
    at: toInstant(app.world.now()),
    run_id: runId,
    sound: isSound ? '1' : '0',
    health,
    read_started_at: readStartedAt,
  };
  await app.blobs.put(markName(hub, id, 'proof'), toBytes(`${id}\n`), 'any', facts);
  await emit(app, { kind: 'proof' });
}

/** `undefined` when the facts are not those of a proof: a blob put there by hand proves nothing. */
export function readProof(facts: BlobFacts): Proof | undefined {
  const { how, at = '', run_id: runId, sound, health, read_started_at: readStartedAt = '' } = facts;
  if (how !== 'verified' && how !== 'drill' && how !== 'restore') return undefined;
  if (health !== 'good' && health !== 'suspect') return undefined;
  if (runId === undefined || Number.isNaN(Date.parse(at)) || Number.isNaN(Date.parse(readStartedAt))) return undefined;
  return { how, at, runId, isSound: sound === '1', health, readStartedAt };
}
