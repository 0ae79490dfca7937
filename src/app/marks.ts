import { markName, marksFolder, type SnapshotMark } from '../core/paths.ts';
import type { BlobEntry, HubRef } from '../core/ports.ts';
import type { App } from './app.ts';
import { toBytes } from './codec.ts';

/**
 * What came to be known of a snapshot after its manifest was written, which never changes: small blobs with facts, so
 * that one listing gives the marks of all snapshots.
 */
export interface Marks {
  /** Retention leaves it alone. */
  readonly isPinned: boolean;
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

export async function putMark(app: App, hub: HubRef, snapshotId: string, mark: SnapshotMark): Promise<void> {
  await app.blobs.put(markName(hub, snapshotId, mark), toBytes(`${snapshotId}\n`), 'any');
}

export async function removeMarks(app: App, hub: HubRef, snapshotId: string): Promise<void> {
  for (const entry of await app.blobs.list(`${marksFolder(hub)}${snapshotId}/`)) await app.blobs.remove(entry.name);
}

function readMark(name: string | undefined, _entry: BlobEntry): Partial<Marks> {
  return name === 'pin' ? { isPinned: true } : {};
}
