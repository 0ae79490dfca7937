import { settledCount } from '../parts/counts.js';
import { duration, number, plural } from '../parts/format.js';
import { onThisPage } from '../parts/on-this-page.js';
import { hubName, isOver } from '../parts/widgets.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

/**
 * What it is, in the words of who asked for it.
 * @param {Restore} run
 */
export function kindOf(run) {
  const { dryRun, purpose = 'restore', activate, way } = run;
  const kind = activate ? (way === 'failback' ? 'Failback' : 'Failover') : kinds[purpose];
  return dryRun ? `Dry run of a ${kind.toLowerCase()}` : kind;
}

const kinds = { restore: 'Restore', sync: 'Standby sync', retry: 'Retry', rollback: 'Rollback', drill: 'Drill' };

/**
 * What the page of a run is called: by the step that it has come to.
 * @param {Restore} run
 */
export function titleOf(run) {
  const kind = kindOf(run);
  if (canConfirm(run)) return `Confirm the ${kindOf({ ...run, dryRun: false }).toLowerCase()}`;
  if (run.dryRun || run.status !== 'Succeeded' || (run.purpose ?? 'restore') !== 'restore') return kind;
  return `Proof of the ${kind.toLowerCase()}`;
}

/** @param {Restore} run */
export function canConfirm(run) {
  return run.dryRun === true && (run.status === 'Succeeded' || run.error?.code === 'RestoreIncomplete');
}

/**
 * The headline of a restore: tone, verdict and explanation.
 * @param {Restore} run
 * @returns {{ tone: import('../parts/widgets.js').Tone, title: string, text: string }}
 */
export function verdictOf(run) {
  if (!isOver(run)) return { tone: 'run', title: runningTitle(run), text: runningText(run) };
  if (run.status === 'Succeeded') return succeeded(run);
  const failed = run.counts.failed ?? 0;
  const reason = onThisPage(run.error?.message ?? 'No reason was given.');
  if (run.retriedBy !== undefined) {
    const text = `It left records out. Retry ${run.retriedBy} has put them in place.${switchedIn(run)}`;
    return { tone: 'info', title: 'Completed by a retry', text };
  }
  if (run.status === 'Canceled') {
    return { tone: 'warn', title: 'Stopped', text: stoppedText };
  }
  if (run.error?.code === 'RestoreIncomplete') {
    const what = run.purpose === 'rollback' ? 'removed' : 'restored';
    return {
      tone: 'bad',
      title: 'Incomplete',
      text:
        failed === 0
          ? reason
          : `${plural(failed, 'record')} of ${number(run.counts.total)} could not be ${what}. All others are done.${switchedIn(run)}`,
    };
  }
  return { tone: 'bad', title: 'Failed', text: reason };
}

/**
 * That it made its target the hub in use, where it did though not all is in place.
 * @param {Restore} run
 */
export function switchedIn({ activatedAt, target }) {
  return activatedAt === undefined ? '' : ` ${hubName(target)} came into use all the same.`;
}

export const stoppedText = 'Records already written stay. A new restore resumes from there.';

/** @param {Restore} run */
function succeeded(run) {
  const { counts, purpose, target } = run;
  const toWrite = (counts.created ?? 0) + (counts.updated ?? 0);
  if (run.dryRun) {
    const title = toWrite === 0 ? 'Nothing to restore' : `${plural(toWrite, 'record')} would be restored`;
    const rest = counts.total - toWrite - (counts.failed ?? 0);
    const text =
      toWrite === 0
        ? `All ${plural(counts.total, 'record')} requested are already in ${hubName(target)}.`
        : `Into ${hubName(target)}. ${rest === 0 ? 'Nothing was written yet.' : `${plural(rest, 'record')} would be left unchanged. Nothing was written yet.`}`;
    return { tone: /** @type {const} */ ('ok'), title, text };
  }
  if (purpose === 'rollback') {
    return {
      tone: /** @type {const} */ ('ok'),
      title: 'Rolled back',
      text: `${plural(counts.removed ?? 0, 'record')} removed from ${hubName(target)}; nothing else was touched.`,
    };
  }
  return {
    tone: /** @type {const} */ ('ok'),
    title: 'Restored and proven',
    text: `${number(settledCount(run))} of ${plural(counts.total, 'record')} are in place in ${hubName(target)}.`,
  };
}

/** Each phase by its API name, in order. */
export const phases = /** @type {const} */ ([
  { name: 'Reading', title: 'Reading the hub', short: 'Read' },
  { name: 'Sorting', title: 'Sorting', short: 'Sort' },
  { name: 'Writing', title: 'Writing', short: 'Write' },
  { name: 'Verifying', title: 'Verifying', short: 'Verify' },
]);

/** @param {Restore} run */
export function percentOf({ percent, counts }) {
  if (typeof percent === 'number') return percent;
  return counts.total === 0 ? 0 : Math.floor((100 * (counts.total - (counts.pending ?? 0))) / counts.total);
}

const written = /** @type {const} */ (['created', 'updated', 'renewed', 'moved', 'withdrawn', 'removed', 'putBack']);

/**
 * Whether a pace of it is one of writing; of a dry run, of comparing.
 * @param {Restore} run
 */
export function hasWritten({ dryRun, counts }) {
  return dryRun === true || written.some((outcome) => (counts[outcome] ?? 0) > 0);
}

/** @param {Restore} run */
function runningTitle(run) {
  if (run.phase === 'Writing') {
    const verb = run.dryRun ? 'Comparing' : run.purpose === 'rollback' ? 'Removing' : 'Writing';
    return `${verb}: ${Math.floor(percentOf(run))} %`;
  }
  return `${phases.find((phase) => phase.name === run.phase)?.title ?? run.phase} …`;
}

/**
 * What a run waits for, since when, and when it tries again.
 * @param {import('../api-types.d.ts').Waiting} waiting
 */
export function waitingText({ on, cause, since, nextTryAt }) {
  const ahead = (Date.parse(nextTryAt) - Date.now()) / 1000;
  const next = ahead > 0 ? `next try in ${duration(ahead)}` : 'trying now';
  return `Waiting for ${on} for ${duration((Date.now() - Date.parse(since)) / 1000)} (${cause}); ${next}.`;
}

/** @param {Restore} run */
function runningText(run) {
  if (run.waiting !== undefined) return waitingText(run.waiting);
  const settles = (Date.parse(run.settlesUntil ?? '') - Date.now()) / 1000;
  if (settles > 0) return `The hub gets time to show what was written: ${duration(settles)}.`;
  if (run.phase === 'Verifying') return 'Everything is written. The hub is listed again to check every record.';
  const place = hubName(run.target);
  return run.dryRun ? `Comparing with ${place}. Nothing is written.` : `Into ${place}.`;
}

/** @param {Restore} run */
export function tookOf({ createdAt, finishedAt }) {
  return duration(((finishedAt ? Date.parse(finishedAt) : Date.now()) - Date.parse(createdAt)) / 1000);
}

/** @type {Record<string, string>} */
const reasons = {
  Rejected: 'the hub refused it',
  NotServed: 'the hub fails at it each time, and serves others',
  TooLarge: 'larger than the hub accepts',
  Stale: 'changed while being written',
  UnknownPlatform: 'unknown platform',
  TemplateWithoutName: 'a template without a name, which the hub no longer accepts',
  NotApplied: 'accepted by the hub, but missing afterwards',
};

/** @param {string} code */
export function reasonOf(code) {
  return reasons[code] ?? code;
}
