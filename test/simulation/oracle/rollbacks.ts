import { isSame, type Row, tell } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, isWriter, type KnownRestore, type KnownRun } from './runs.ts';

/** A green rollback leaves its hub as it was before the run it undoes, but for what devices did themselves. */
export function judgeRollback(facts: Facts, run: KnownRestore, when: '' | 'Later'): void {
  const { status, request } = run.doc;
  const undone = facts.runs.get(request.of ?? '');
  if (status !== 'Succeeded' || undone?.firstListedAt === undefined || hasOthers(facts, run, undone)) return;
  const hub = hubOf(run);
  const devices = new Set([...undone.before, ...facts.rowsOf(hub)].map((row) => facts.truth.deviceOf(row)));
  for (const device of devices) {
    if (facts.changedSince(hub, device, undone.firstListedAt)) continue;
    const before = undone.before.filter((row) => facts.truth.deviceOf(row) === device);
    compare(facts, before, facts.rowsOfDevice(hub, device), `${hub} after ${run.id} of ${undone.id}`, when);
  }
}

function compare(facts: Facts, before: readonly Row[], now: readonly Row[], where: string, when: string): void {
  const left = now.filter((row) => !before.some((one) => isSame(one, row)));
  const lost = before.filter((row) => !now.some((one) => isSame(one, row)));
  const text = `${where}: ${list(before)} is ${list(now)}`;
  if (lost.length > 0) facts.violate(`rollbackLost${when}`, text);
  else if (left.length > 0) facts.violate(`rollbackLeft${when}`, text);
  else if (now.length > before.length) facts.violate(`rollbackDoubled${when}`, text);
}

function list(rows: readonly Row[]): string {
  return rows.map(tell).join(' and ') || 'nothing';
}

/** Whether runs other than these two wrote there since the one that is undone began. */
function hasOthers(facts: Facts, run: KnownRun, undone: KnownRun): boolean {
  const began = Date.parse(undone.doc.createdAt);
  const isOther = (one: KnownRun): boolean =>
    one !== run && one !== undone && isWriter(one) && hubOf(one) === hubOf(run);
  return facts.runs.all().some((one) => isOther(one) && (one.endedAt ?? Number.MAX_SAFE_INTEGER) > began);
}
