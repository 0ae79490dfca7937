import { DrError, RecordFault } from '../../../core/errors.ts';
import { canonicalRow } from '../../../core/registration/registration.ts';
import type { Write } from '../../../core/restore/plan/write.ts';
import { findInstallationRows, findRow } from '../../listing/hub-rows.ts';
import type { Caller } from './write-one.ts';

/** The time that a question has at least: a step may have none left when it has to know. */
const ASK_MS = 2000;

/**
 * Whether the hub shows what these writes were to bring about, when it is asked right after them by id or tag. Of an
 * installation only that it is there, or is not. False where it does not answer, too.
 */
export async function shows(work: Caller, writes: readonly Write[]): Promise<boolean> {
  for (const write of writes) {
    const isShown = await showsOne(work, write).catch((error: unknown) => {
      if (error instanceof DrError && (error.retryable || error instanceof RecordFault)) return false;
      throw error;
    });
    if (!isShown) return false;
  }
  return writes.length > 0;
}

async function showsOne({ app, hub, deadlineAt, idMap }: Caller, write: Write): Promise<boolean> {
  const call = { deadlineAt: Math.max(deadlineAt, app.world.now() + ASK_MS), givesWay: true } as const;
  switch (write.kind) {
    case 'registration': {
      const row = await findRow(hub, write.over?.id ?? idMap.idFor(write.id), call);
      return row !== undefined && canonicalRow(row.xml) === canonicalRow(write.xml);
    }
    case 'rowDeletion':
      return (await findRow(hub, write.id, call)) === undefined;
    case 'installation':
      return (await findInstallationRows(hub, write.id, call)).length > 0;
    case 'installationDeletion':
      return (await findInstallationRows(hub, write.id, call)).length === 0;
    default:
      return write satisfies never;
  }
}
