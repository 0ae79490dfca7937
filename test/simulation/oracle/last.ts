import type { Facts } from './facts.ts';
import { claimsOf, hubOf, isRestore, type KnownRestore } from './runs.ts';

/** Cancelling is noticed at each write, by a look at the run that may be slow itself. */
const CANCEL_MS = 30_000;

/** Judges what only the end of everything shows. */
export function judgeLast(facts: Facts): void {
  for (const run of facts.runs.all()) {
    const { kind, phase } = run.doc;
    if (run.endedAt === undefined) facts.violate('neverEnds', `${kind} ${run.id} is in ${phase.name}#${phase.pass}`);
    if (isRestore(run)) judgeWrites(facts, run);
  }
}

function judgeWrites(facts: Facts, run: KnownRestore): void {
  const { status, request } = run.doc;
  const { written, endedAt, lastSentAt } = run;
  if (request.dryRun && written.size > 0) facts.violate('dryRunWrote', `${run.id}: ${[...written.keys()].join()}`);
  if (endedAt !== undefined && lastSentAt > endedAt + CANCEL_MS) {
    const seconds = Math.round((lastSentAt - endedAt) / 1000);
    facts.violate('wroteAfterItsEnd', `${run.id} ended ${status} and wrote ${seconds} s later to ${hubOf(run)}`);
  }
  judgeClaims(facts, run);
}

/** What it says it did to the hub, it has sent. Who has another handle under its id is two records, and one write. */
function judgeClaims(facts: Facts, { id, doc, calls, replaced }: KnownRestore): void {
  if (doc.result === undefined || doc.request.dryRun) return;
  const claimed = claimsOf(doc.result.counts);
  // Of two steps that worked at a record at once one may know of no write, and see its device's own word later.
  const sent = calls.size + replaced.size + doc.result.changedSince;
  if (claimed > sent) facts.violate('saysMoreThanItSent', `${id}: ${claimed} records, ${sent} written to`);
}
