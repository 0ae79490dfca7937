import type { Oracle } from './oracle.ts';
import { hubOf, type KnownRun } from './runs.ts';
import { readSnapshot } from './snapshots.ts';

/** A backup of a hub that nothing changed meanwhile holds exactly what the hub holds. */
export function judgeBackup(oracle: Oracle, run: KnownRun): void {
  const { doc } = run;
  if (doc.status !== 'Succeeded') return;
  const hub = hubOf(run);
  if (oracle.changeCount(hub) !== run.changesBefore) return oracle.parts.sometimes('backupOfABusyHub');
  const held = readSnapshot(oracle.parts.container, doc.hub, doc.id).flatMap(({ rows }) => rows.map(({ id }) => id));
  const there = oracle.rowsOf(hub).map(({ id }) => id);
  if (held.sort().join() === there.sort().join()) return;
  oracle.violate('snapshotDiffers', `${run.id} holds ${held.join()}, ${hub} holds ${there.join()}`);
}
