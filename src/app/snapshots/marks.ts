import { z } from 'zod';
import type { Coverage } from '../../core/baseline/coverage.ts';
import { isSameHub, markName, marksFolder, type SnapshotMark } from '../../core/paths.ts';
import type { BlobEntry, HubRef } from '../../core/ports.ts';
import { startOfRunId } from '../../core/run/run.ts';
import { isAhead } from '../../core/snapshot/dating.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { type App, emit, toInstant } from '../app.ts';
import { toBytes } from '../stored/codec.ts';
import { removeAll } from '../stored/remove-all.ts';

/**
 * What came to be known of a snapshot after its manifest was written, which never changes: small blobs with facts, so
 * that one listing gives the marks of all snapshots. One put there by hand, without the facts of its kind, says nothing.
 */
export interface Marks {
  /** Retention leaves it alone. */
  readonly isPinned: boolean;
  readonly proof?: Proof | undefined;
  readonly churn?: Churn | undefined;
  readonly coverage?: Coverage | undefined;
  /** It was read between a restore into its hub and the rollback of that, and holds what was taken back. */
  readonly isUndone?: true;
  /** As its manifest says: by the mark it need not be read. Those of older versions of the app have none. */
  readonly isSuspect?: true;
  /** Suspect as it is, its counts are what is usual from now on. */
  readonly isAccepted?: true;
}

export const noMarks: Marks = { isPinned: false };

const proofFacts = z
  .object({
    how: z.enum(['verified', 'drill', 'restore', 'sync']),
    at: z.iso.datetime(),
    run_id: z.string(),
    /** `1`, or that the snapshot was found damaged. */
    sound: z.string().optional(),
    /** Of the snapshot, so that the marks alone tell the newest good one that is proven. */
    health: z.enum(['good', 'suspect']),
    read_started_at: z.iso.datetime(),
  })
  .transform(({ run_id: runId, sound, read_started_at: readStartedAt, ...facts }) => {
    return { ...facts, runId, isSound: sound === '1', readStartedAt };
  });

/** What showed that a snapshot can, or cannot, be restored. */
export type Proof = Readonly<z.infer<typeof proofFacts>>;

const number = z.coerce.number();
const churnFacts = z
  .object({
    since: z.string(),
    /** Between the beginnings of the two. */
    seconds: number,
    added: number,
    removed: number,
    /** Of the same key, but with rows that say something else to the device. */
    changed: number,
  })
  .transform(({ since: sinceSnapshotId, ...counts }) => ({ sinceSnapshotId, ...counts }));

/** How a snapshot differs from the good one before it, in records. */
export type Churn = Readonly<z.infer<typeof churnFacts>>;

const coverageFacts = z.object({
  of: z.string(),
  total: number,
  registered: number,
  restored: number,
  rewritten: number.optional(),
});

/** A mark stored again takes the place of the one before. */
export async function putMark(
  app: App,
  { hub, id }: Pick<Manifest, 'hub' | 'id'>,
  mark: SnapshotMark,
  facts: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  const texts = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)]));
  await app.blobs.put(markName(hub, id, mark), toBytes(`${id}\n`), 'any', texts);
}

/** The newest proof counts, whether it speaks for the snapshot or against it. */
export async function storeProof(
  app: App,
  manifest: Manifest,
  { how, runId, isSound }: Pick<Proof, 'how' | 'runId' | 'isSound'>,
): Promise<void> {
  const { health, readStartedAt } = manifest;
  const sound = isSound ? '1' : '0';
  const at = toInstant(app.world.storageNow());
  await putMark(app, manifest, 'proof', { how, at, run_id: runId, sound, health, read_started_at: readStartedAt });
  await emit(app, { kind: 'proof' });
}

/** The marks of every snapshot that has any, or of one, by snapshot id. */
export async function readMarks(app: App, hub: HubRef, snapshotId?: string): Promise<ReadonlyMap<string, Marks>> {
  const folder = marksFolder(hub);
  const entries = await app.blobs.list(snapshotId === undefined ? folder : `${folder}${snapshotId}/`);
  const marks = new Map<string, Marks>();
  for (const entry of entries) {
    const [id = '', name] = entry.name.slice(folder.length).split('/');
    marks.set(id, { ...(marks.get(id) ?? noMarks), ...readMark(name, entry) });
  }
  return marks;
}

/** What marks there are of a snapshot of either hub. */
export async function readMarksOfPair(
  app: App,
): Promise<(snapshot: { readonly hub: HubRef; readonly id: string }) => Marks | undefined> {
  const [ofPrimary, ofSecondary] = await Promise.all([
    readMarks(app, app.primary.ref),
    readMarks(app, app.secondary.ref),
  ]);
  return ({ hub, id }) => (isSameHub(hub, app.primary.ref) ? ofPrimary : ofSecondary).get(id);
}

export async function removeMarks(app: App, hub: HubRef, snapshotId: string): Promise<void> {
  await removeAll(app, `${marksFolder(hub)}${snapshotId}/`);
}

export interface Proven {
  readonly id: string;
  readonly proof: Proof;
}

/** The newest good snapshot that was proven, by when it was taken. */
export function newestProven(marks: ReadonlyMap<string, Marks>): Proven | undefined {
  return proofsIn(marks).sort((a, b) => (a.proof.readStartedAt < b.proof.readStartedAt ? 1 : -1))[0];
}

/** When a good snapshot was last proven (epoch ms). */
export function newestProofAt(marks: ReadonlyMap<string, Marks>): number | undefined {
  const instants = proofsIn(marks).map(({ proof }) => Date.parse(proof.at));
  return instants.length === 0 ? undefined : Math.max(...instants);
}

function proofsIn(marks: ReadonlyMap<string, Marks>): Proven[] {
  return [...marks].flatMap(([id, { proof }]) => {
    const isGood = proof?.isSound === true && proof.health === 'good';
    return isGood && !isAhead(startOfRunId(id), Date.parse(proof.at)) ? [{ id, proof }] : [];
  });
}

function readMark(name: string | undefined, { facts }: BlobEntry): Partial<Marks> {
  if (name === 'pin') return { isPinned: true };
  if (name === 'undone') return { isUndone: true };
  if (name === 'suspect') return { isSuspect: true };
  if (name === 'accepted') return { isAccepted: true };
  if (name === 'proof') return { proof: proofFacts.safeParse(facts).data };
  if (name === 'coverage') return { coverage: coverageFacts.safeParse(facts).data };
  return name === 'churn' ? { churn: churnFacts.safeParse(facts).data } : {};
}
