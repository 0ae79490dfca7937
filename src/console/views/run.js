import { call } from '../app/api.js';
import { poll } from '../app/poll.js';
import { amountOf } from '../parts/amount.js';
import { countsTable } from '../parts/counts.js';
import { direction } from '../parts/direction.js';
import { announce, fill, h } from '../parts/dom.js';
import { stepper } from '../parts/stepper.js';
import { isOver, problem, verdict } from '../parts/widgets.js';
import { confirmForm } from './confirm.js';
import { showFailures } from './failures.js';
import { records } from './records.js';
import { backToOverview, runActions } from './run-actions.js';
import { placesOf, progress, proof, runFacts, warnings, wholeCard, withoutPage } from './run-parts.js';
import { canConfirm, percentOf, titleOf, verdictOf } from './run-words.js';
import { readWhole } from './whole.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

const POLL_MS = 1000;

/**
 * One restore from start to proof; also for dry runs, retries and rollbacks.
 * @param {HTMLElement} view
 * @param {string} id
 * @param {AbortSignal} signal
 */
export function showRun(view, id, signal) {
  const frame = newFrame();
  fill(frame.head, h('p', { class: 'muted' }, 'Loading …'));
  view.replaceChildren(...Object.values(frame));
  const announceChange = announcer();
  /** @type {string | undefined} */
  let amount;
  poll(async () => {
    /** @type {Restore} */
    const run = await call(`restores/${encodeURIComponent(id)}`);
    announceChange(run);
    show(frame, run, amount);
    if (amount === undefined) {
      amount = await readAmount(run);
      show(frame, run, amount);
    }
    if (!isOver(run)) return POLL_MS;
    showOnce(frame, run);
    return undefined;
  }, signal).catch((error) => {
    fill(frame.head, problem(error, 'This restore could not be read.'));
    fill(frame.actions, backToOverview());
  });
}

/** @typedef {ReturnType<typeof newFrame>} Frame The parts of the page, in display order. */

function newFrame() {
  return {
    title: h('h1', { tabindex: -1 }, 'Restore'),
    steps: h('div'),
    way: h('div'),
    head: h('div'),
    whole: h('div'),
    progress: h('div'),
    proof: h('div'),
    actions: h('div', { class: 'actions' }),
    failures: h('div'),
    counts: h('div'),
    records: h('div'),
    confirm: h('div'),
    lastActions: h('div', { class: 'actions' }),
    about: h('div'),
  };
}

/**
 * @param {Frame} frame
 * @param {Restore} run
 * @param {string | undefined} amount What its snapshot holds.
 */
function show(frame, run, amount) {
  const { tone, title, text } = verdictOf(run);
  const name = titleOf(run);
  frame.title.textContent = name;
  document.title = `${title} – ${name}`;
  fill(frame.steps, stepOf(run));
  fill(frame.way, direction(placesOf(run)));
  fill(frame.head, verdict(tone, title, h('p', {}, text), !isOver(run) && withoutPage()), warnings(run));
  fill(frame.progress, progress(run));
  fill(frame.proof, proof(run));
  fill(frame.counts, run.counts.total > 0 && h('section', { class: 'card', 'aria-label': 'Counts' }, countsTable(run)));
  // After a dry run the confirmation comes first, other actions after it.
  fill(frame.actions, !canConfirm(run) && runActions(run));
  fill(frame.lastActions, canConfirm(run) && runActions(run));
  fill(frame.about, runFacts(run, amount));
}

/**
 * What the snapshot of a restore holds, in all units that its counts are in.
 * @param {Restore} run
 * @returns {Promise<string>}
 */
async function readAmount({ snapshot }) {
  try {
    return amountOf(await call(`snapshots/${encodeURIComponent(snapshot.id)}`));
  } catch {
    return ''; // Best effort: it may be deleted by now, and what is shown of the restore holds without.
  }
}

/**
 * Forms and failure lists are built once, when the run is over: a refresh would reset them.
 * @param {Frame} frame
 * @param {Restore} run
 */
function showOnce(frame, run) {
  if (canConfirm(run)) frame.confirm.replaceChildren(confirmForm(run));
  showWhole(frame.whole, run);
  frame.records.replaceChildren(records(run) ?? '');
  if ((run.counts.failed ?? 0) > 0) showFailures(frame.failures, run);
}

/**
 * Of a retry that is over: what it and the restore before it did together.
 * @param {HTMLElement} place
 * @param {Restore} run
 */
function showWhole(place, run) {
  if (run.purpose !== 'retry') return;
  readWhole(run)
    .then((whole) => whole && place.replaceChildren(wholeCard(whole)))
    .catch((error) => place.replaceChildren(problem(error, 'The restore before this retry could not be read.')));
}

/** @param {Restore} run */
function stepOf(run) {
  if (run.purpose !== undefined && run.purpose !== 'restore') return undefined;
  if (run.dryRun) return stepper(canConfirm(run) ? 3 : 2);
  return stepper(run.status === 'Succeeded' ? 6 : 4);
}

/** Announces each phase, each quarter and the end once; each second would be noise. */
function announcer() {
  let announced = '';
  return (/** @type {Restore} */ run) => {
    const { title, text } = verdictOf(run);
    const stage = isOver(run) ? run.status : `${run.phase} ${Math.floor(percentOf(run) / 25)}`;
    if (stage !== announced) announce(isOver(run) ? `${title}. ${text}` : title);
    announced = stage;
  };
}
