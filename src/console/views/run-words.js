import { settledCount } from '../parts/counts.js';
import { duration, number, plural } from '../parts/format.js';
import { hubName, isOver } from '../parts/widgets.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

/**
 * What is to be read first about a restore: its tone, its verdict, and what that means.
 * @param {Restore} run
 * @returns {{ tone: import('../parts/widgets.js').Tone, title: string, text: string }}
 */
export function verdictOf(run) {
  if (!isOver(run)) return { tone: 'run', title: runningTitle(run), text: runningText(run) };
  if (run.status === 'Succeeded') return succeeded(run);
  const failed = run.counts.failed ?? 0;
  if (run.status === 'Canceled') {
    return { tone: 'warn', title: 'Stopped', text: 'What was written stays. A new restore goes on from there.' };
  }
  if (run.error?.code === 'RestoreIncomplete' && failed > 0) {
    const what = run.purpose === 'rollback' ? 'removed' : 'restored';
    return {
      tone: 'bad',
      title: 'Incomplete',
      text: `${plural(failed, 'device')} of ${number(run.counts.total)} could not be ${what}. All others are settled.`,
    };
  }
  return { tone: 'bad', title: 'Failed', text: run.error?.message ?? 'It ended without saying why.' };
}

/** @param {Restore} run */
function succeeded(run) {
  const { counts, purpose, target } = run;
  const toWrite = (counts.created ?? 0) + (counts.updated ?? 0);
  if (run.dryRun) {
    const title = toWrite === 0 ? 'Nothing to restore' : `${plural(toWrite, 'device')} would be restored`;
    const rest = counts.total - toWrite - (counts.failed ?? 0);
    const text =
      toWrite === 0
        ? `All ${plural(counts.total, 'device')} asked for are in ${hubName(target)} already.`
        : `Into ${hubName(target)}. ${rest === 0 ? 'Nothing was written yet.' : `${plural(rest, 'device')} would be left as they are. Nothing was written yet.`}`;
    return { tone: /** @type {const} */ ('ok'), title, text };
  }
  if (purpose === 'rollback') {
    return {
      tone: /** @type {const} */ ('ok'),
      title: 'Rolled back',
      text: `${plural(counts.removed ?? 0, 'device')} removed from ${hubName(target)}; nothing else was touched.`,
    };
  }
  return {
    tone: /** @type {const} */ ('ok'),
    title: 'Restored and proven',
    text: `${number(settledCount(run))} of ${plural(counts.total, 'device')} are in place in ${hubName(target)}.`,
  };
}

/** Each phase as the app names it, with what it does, in order. */
export const phases = /** @type {const} */ ([
  { name: 'Reading', title: 'Reading the hub', short: 'Read' },
  { name: 'Sorting', title: 'Sorting', short: 'Sort' },
  { name: 'Writing', title: 'Writing', short: 'Write' },
  { name: 'Verifying', title: 'Proving', short: 'Prove' },
]);

/** @param {Restore} run */
export function percentOf({ percent, counts }) {
  if (typeof percent === 'number') return percent;
  return counts.total === 0 ? 0 : Math.floor((100 * (counts.total - (counts.pending ?? 0))) / counts.total);
}

/** @param {Restore} run */
function runningTitle(run) {
  if (run.phase === 'Writing') {
    const verb = run.dryRun ? 'Comparing' : run.purpose === 'rollback' ? 'Removing' : 'Writing';
    return `${verb}: ${Math.floor(percentOf(run))} %`;
  }
  return `${phases.find((phase) => phase.name === run.phase)?.title ?? run.phase} …`;
}

/** @param {Restore} run */
function runningText(run) {
  if (run.phase === 'Verifying')
    return 'All is written. The hub is listed again, and every device looked at once more.';
  const place = hubName(run.target);
  return run.dryRun ? `Looking at ${place}. Nothing is written.` : `In ${place}. It goes on without this page.`;
}

/** @param {Restore} run */
export function tookOf({ createdAt, finishedAt }) {
  return duration(((finishedAt ? Date.parse(finishedAt) : Date.now()) - Date.parse(createdAt)) / 1000);
}

/** @type {Record<string, string>} */
const reasons = {
  Rejected: 'the hub refused it',
  TooLarge: 'larger than the hub takes',
  Stale: 'changed while it was written',
  UnknownPlatform: 'of a platform this version does not know',
  TemplateWithoutName: 'a template without a name, which the hub no longer takes',
  NotApplied: 'the hub said yes and did not keep it',
};

/** @param {string} code */
export function reasonOf(code) {
  return reasons[code] ?? code;
}
