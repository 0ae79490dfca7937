import type { Oracle } from './oracle.ts';
import { hubOf, isRestore } from './runs.ts';

/** Cancelling is noticed at each write. */
const CANCEL_MS = 15_000;

/** Judges what only the end of everything shows. */
export function judgeLast(oracle: Oracle): void {
  for (const run of oracle.runs.all()) {
    if (run.endedAt === undefined)
      oracle.violate('neverEnds', `${run.doc.kind} ${run.id} is in ${run.doc.phase.name}#${run.doc.phase.pass}`);
    if (!isRestore(run)) continue;
    const { status, request, result } = run.doc;
    if (request.dryRun && run.written.size > 0)
      oracle.violate('dryRunWrote', `${run.id}: ${[...run.written.keys()].join()}`);
    if (run.endedAt !== undefined && run.lastSentAt > run.endedAt + CANCEL_MS) {
      const seconds = Math.round((run.lastSentAt - run.endedAt) / 1000);
      oracle.violate('wroteAfterItsEnd', `${run.id} ended ${status} and wrote ${seconds} s later to ${hubOf(run)}`);
    }
    if (status !== 'Canceled' || result === undefined || request.purpose === 'rollback') continue;
    const told = result.counts.created + result.counts.updated + result.counts.failed;
    if (told === 0 && run.written.size > 0)
      oracle.violate('canceledSaysNothingWritten', `${run.id} wrote ${run.written.size}`);
  }
}
