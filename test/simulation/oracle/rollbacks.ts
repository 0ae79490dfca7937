import { isSame, type Row, tell } from '../row.ts';
import type { Oracle } from './oracle.ts';
import { hubOf, isWriter, type KnownRun } from './runs.ts';

type Restore = KnownRun & { readonly doc: Extract<KnownRun['doc'], { kind: 'restore' }> };

/** A green rollback leaves its hub as it was before the run it undoes, but for what devices did themselves. */
export function judgeRollback(oracle: Oracle, run: Restore, when: '' | 'Later' = ''): void {
  const { status, request } = run.doc;
  const undone = oracle.runs.get(request.of ?? '');
  if (status !== 'Succeeded' || undone?.firstListedAt === undefined || hasOthers(oracle, run, undone)) return;
  const hub = hubOf(run);
  const { truth } = oracle.parts;
  const now = oracle.rowsOf(hub);
  const devices = new Set([...undone.before, ...now].map((row) => truth.deviceOf(row)));
  for (const device of devices) {
    if (oracle.changedSince(hub, device, undone.firstListedAt)) continue;
    const own = (rows: readonly Row[]): Row[] => rows.filter((row) => truth.deviceOf(row) === device);
    compare(oracle, own(undone.before), own(now), `${hub} after ${run.id} of ${undone.id}`, when);
  }
}

function compare(oracle: Oracle, before: readonly Row[], now: readonly Row[], where: string, when: string): void {
  const left = now.filter((row) => !before.some((one) => isSame(one, row)));
  const lost = before.filter((row) => !now.some((one) => isSame(one, row)));
  const text = `${where}: ${before.map(tell).join(' and ') || 'nothing'} is ${now.map(tell).join(' and ') || 'nothing'}`;
  if (lost.length > 0) oracle.violate(`rollbackLost${when}`, text);
  else if (left.length > 0) oracle.violate(`rollbackLeft${when}`, text);
  else if (now.length > before.length) oracle.violate(`rollbackDoubled${when}`, text);
}

/** Whether runs other than these two wrote there since the one that is undone began. */
function hasOthers(oracle: Oracle, run: KnownRun, undone: KnownRun): boolean {
  return oracle.runs
    .all()
    .some(
      (one) =>
        one !== run &&
        one !== undone &&
        isWriter(one) &&
        hubOf(one) === hubOf(run) &&
        (one.endedAt ?? Number.MAX_VALUE) > Date.parse(undone.doc.createdAt),
    );
}
