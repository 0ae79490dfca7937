import { call } from './api.js';
import { confirmForm } from './confirm.js';
import { countsTable } from './counts.js';
import { announce, fill, h } from './dom.js';
import { failures } from './failures.js';
import { poll } from './poll.js';
import { nameOf } from './restores.js';
import { runActions } from './run-actions.js';
import { milestones, progress, proof, runFacts, warnings } from './run-parts.js';
import { percentOf, verdictOf } from './run-words.js';
import { stepper } from './steps.js';
import { isOver, problem, verdict } from './widgets.js';

/** @typedef {import('./views.d.ts').Restore} Restore */

const POLL_MS = 1000;

/**
 * One restore from its start to its proof: the same page for a dry run, a retry and a rollback.
 * @param {HTMLElement} view
 * @param {string} id
 * @param {AbortSignal} signal
 */
export function showRun(view, id, signal) {
  const title = h('h1', { tabindex: -1 }, 'Restore');
  const part = () => h('div');
  const [steps, head, confirm, bar, counts, failed, proven, actions, about] = [
    part(),
    part(),
    part(),
    part(),
    part(),
    part(),
    part(),
    h('div', { class: 'actions' }),
    part(),
  ];
  fill(head, h('p', { class: 'muted' }, 'Asking how it goes …'));
  view.replaceChildren(title, steps, head, bar, counts, confirm, failed, proven, actions, about);
  const say = announcer();
  poll(async () => {
    /** @type {Restore} */
    const run = await call(`restores/${encodeURIComponent(id)}`);
    const { tone, title: words, text } = verdictOf(run);
    title.textContent = nameOf(run);
    document.title = `${words} – ${nameOf(run)}`;
    fill(steps, stepOf(run));
    fill(head, verdict(tone, words, h('p', {}, text)), warnings(run));
    fill(bar, progress(run), !isOver(run) && milestones(run));
    fill(counts, run.counts.total > 0 && h('section', { class: 'card', 'aria-label': 'Counts' }, countsTable(run)));
    fill(proven, proof(run));
    fill(actions, runActions(run));
    fill(about, runFacts(run));
    say(run, words, text);
    if (!isOver(run)) return POLL_MS;
    // Forms and what is unfolded are made once, when nothing will change any more.
    if (canConfirm(run)) confirm.replaceChildren(confirmForm(run));
    if ((run.counts.failed ?? 0) > 0) failed.replaceChildren(failures(run.id, run.failuresByCode ?? {}));
    return undefined;
  }, signal).catch((error) => fill(head, problem(error, 'This restore could not be read.')));
}

/** @param {Restore} run */
function canConfirm(run) {
  return run.dryRun === true && (run.status === 'Succeeded' || run.error?.code === 'RestoreIncomplete');
}

/** @param {Restore} run */
function stepOf(run) {
  if (run.purpose !== undefined && run.purpose !== 'restore') return undefined;
  if (run.dryRun) return stepper(canConfirm(run) ? 3 : 2);
  return stepper(isOver(run) ? (run.status === 'Succeeded' ? 6 : 5) : 4);
}

/** Says each phase and each quarter once, and how it ended: every second would be noise. */
function announcer() {
  let said = '';
  return (/** @type {Restore} */ run, /** @type {string} */ words, /** @type {string} */ text) => {
    const stage = isOver(run) ? run.status : `${run.phase} ${Math.floor(percentOf(run) / 25)}`;
    if (stage !== said) announce(isOver(run) ? `${words}. ${text}` : words);
    said = stage;
  };
}
