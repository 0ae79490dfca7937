import type { Facts } from './facts.ts';
import { judgeJobs } from './jobs.ts';
import { claimsOf, hubOf, isRestore, type KnownRestore } from './runs.ts';
import { judgeMakingWay } from './syncs.ts';
import { noticedWithinMs } from './windows.ts';

/** Judges what only the end of everything shows. */
export function judgeLast(facts: Facts): void {
  judgeRole(facts);
  if (facts.jobs !== undefined) judgeJobs(facts, facts.jobs);
  judgeMakingWay(facts);
  for (const run of facts.runs.all()) {
    const { kind, phase } = run.doc;
    if (run.endedAt === undefined) facts.violate('neverEnds', `${kind} ${run.id} is in ${phase.name}#${phase.pass}`);
    if (isRestore(run)) judgeWrites(facts, run);
  }
}

/** A restore that made its target the hub in use had looked at all that it wrote there, and says so. */
function judgeRole(facts: Facts): void {
  const tenures = facts.role?.history ?? [];
  for (const { hub, by, runId = '' } of tenures) {
    const run = facts.runs.get(runId);
    const isProven = run !== undefined && isRestore(run) && run.doc.request.activate === true && hasReachedItsEnd(run);
    if (by === 'restore' && !isProven) facts.violate('activatedUnproven', `${hub.namespace} by ${runId}`);
  }
  for (const { id, doc } of facts.runs.all().filter(isRestore)) {
    const { activatedAt } = doc.result ?? {};
    if (activatedAt === undefined) continue;
    facts.sometimes(doc.request.isFailback === true ? 'activated by a failback' : 'activated');
    const isSo = tenures.some(({ hub, since }) => hub.namespace === doc.hub.namespace && since === activatedAt);
    if (!isSo) facts.violate('saysActivated', `${id} since ${activatedAt}`);
  }
}

function hasReachedItsEnd({ doc: { status, error } }: KnownRestore): boolean {
  return status === 'Succeeded' || error?.code === 'RestoreIncomplete';
}

function judgeWrites(facts: Facts, run: KnownRestore): void {
  const { status, request } = run.doc;
  const { written, endedAt, lastSentByItselfAt } = run;
  if (request.dryRun && written.size > 0) facts.violate('dryRunWrote', `${run.id}: ${[...written.keys()].join()}`);
  if (endedAt !== undefined && lastSentByItselfAt > endedAt + noticedWithinMs(facts.knobs)) {
    const seconds = Math.round((lastSentByItselfAt - endedAt) / 1000);
    facts.violate('wroteAfterItsEnd', `${run.id} ended ${status} and wrote ${seconds} s later to ${hubOf(run)}`);
  }
  judgeClaims(facts, run);
  judgeBeginning(facts, run);
}

/** A rollback's first look comes after the last write of what it undoes. */
function judgeBeginning(facts: Facts, { id, doc, firstListedAt }: KnownRestore): void {
  const undone = doc.request.purpose === 'rollback' ? facts.runs.get(doc.request.of ?? '') : undefined;
  if (undone === undefined || firstListedAt === undefined || undone.lastSentAt <= firstListedAt) return;
  const seconds = Math.round((undone.lastSentAt - firstListedAt) / 1000);
  facts.violate('rolledBackWhileWriting', `${id} looked ${seconds} s before ${undone.id} last wrote`);
}

/** What it says it did to the hub, it has sent. Who has another handle under its id is two records, and one write. */
function judgeClaims(facts: Facts, run: KnownRestore): void {
  const { id, doc, calls, replaced, askedAt, written, begun } = run;
  if (doc.result === undefined || doc.request.dryRun) return;
  const claimed = claimsOf(doc.result.counts);
  // Of two steps that worked at a record at once one may know of no write, and see its device's own word later.
  const sent = calls.size + replaced.size + doc.result.changedSince;
  // A step that died after its question may have written what the next one finds there.
  const isUnsure = ([key, times]: [string, readonly number[]]): boolean =>
    times.length > 1 && !written.has(key.slice(key.indexOf('/') + 1));
  const unsure = [...askedAt].filter(isUnsure).length;
  // It has sent it, though its hub never took it, or said wrongly that it did: one that ends before it looks again counts it.
  const lost = [...run.unanswered].filter((key) => !written.has(key)).length;
  // Likewise what it had begun, and the next one finds as it is to be.
  if (claimed > sent + unsure + lost + begun.size)
    facts.violate('saysMoreThanItSent', `${id}: ${claimed} records, ${sent} written to`);
}
