import { marksFolder } from '../../core/paths.ts';
import type { BlobEntry, HubRef } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { type Churn, readChurn } from './churn.ts';
import { type Proof, readProof } from './proof.ts';

/**
 * What came to be known of a snapshot after its manifest was written, which never changes: small blobs with facts, so
 * that one listing gives the marks of all snapshots.
 */
export interface Marks {
  /** Retention leaves it alone. */
  readonly isPinned: boolean;
  readonly proof?: Proof;
  readonly churn?: Churn;
}

export const noMarks: Marks = { isPinned: false };

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

export async function removeMarks(app: App, hub: HubRef, snapshotId: string): Promise<void> {
  for (const entry of await app.blobs.list(`${marksFolder(hub)}${snapshotId}/`)) await app.blobs.remove(entry.name);
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
  return [...marks].flatMap(([id, { proof }]) => (proof?.isSound && proof.health === 'good' ? [{ id, proof }] : []));
}

function readMark(name: string | undefined, { facts }: BlobEntry): Partial<Marks> {
  if (name === 'pin') return { isPinned: true };
  if (name === 'proof') {
    const proof = readProof(facts);
    return proof === undefined ? {} : { proof };
  }
  const churn = name === 'churn' ? readChurn(facts) : undefined;
  return churn === undefined ? {} : { churn };
}
