import type { Facts } from './facts.ts';
import { hubOf, type KnownRun } from './runs.ts';
import { readSnapshot } from './snapshots.ts';

/** A backup of a hub that nothing changed meanwhile holds exactly what the hub holds. */
export function judgeBackup(facts: Facts, run: KnownRun): void {
  const { doc } = run;
  if (doc.kind !== 'backup' || doc.status !== 'Succeeded') return;
  const hub = hubOf(run);
  if (facts.changeCount(hub) !== run.changesBefore) {
    facts.sometimes('backupOfABusyHub');
    return;
  }
  const held = readSnapshot(facts.container, doc.hub, doc.id).map(({ id }) => id);
  const rows = (facts.hub(hub)?.rows() ?? []).map(({ id }) => id);
  // No page with such a row comes.
  const there = rows.filter((id) => !facts.poison.isUnlistable(hub, id));
  if (there.length < rows.length && doc.result?.health === 'good')
    facts.violate('goodWithoutARow', `${run.id} holds ${held.length} of ${rows.length} rows`);
  if (held.sort().join() === there.sort().join()) return;
  facts.violate('snapshotDiffers', `${run.id} holds ${held.join()}, ${hub} holds ${there.join()}`);
}
