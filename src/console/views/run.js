import { ApiError, call } from '../app/api.js';
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
/** One that is just being started has yet to appear. */
const UNKNOWN_MS = 5000;

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
  /** @type {Known} */
  const known = {};
  let isMissing = false;
  const showProblem = (
    /** @type {unknown} */ error,
    /** @type {import('../parts/dom.js').Child} */ more = undefined,
  ) => {
    fill(frame.head, problem(error, 'This restore could not be read.'), more);
    fill(frame.actions, backToOverview());
  };
  poll(async () => {
    const run = await readRun(id);
    if (run instanceof ApiError) {
      // Said once: it is an alert.
      if (!isMissing) showProblem(run, h('p', { class: 'muted while-answered' }, ASKED_AGAIN));
      isMissing = true;
      return UNKNOWN_MS;
    }
    isMissing = false;
    announceChange(run);
    show(frame, run, known);
    if (known.amount === undefined) {
      known.amount = await readAmount(run);
      show(frame, run, known);
    }
    if (!isOver(run)) return POLL_MS;
    known.status = await readStatus();
    show(frame, run, known);
    showOnce(frame, run);
    return undefined;
  }, signal).catch((error) => showProblem(error));
}

const ASKED_AGAIN = 'If it is just being started, it appears here: this page asks again every few seconds.';

/**
 * @typedef {object} Known What was read beside the restore.
 * @property {string} [amount] What its snapshot holds.
 * @property {import('../api-types.d.ts').Status | undefined} [status] Once the restore is over.
 */

/**
 * The error is that there is none of that id.
 * @param {string} id
 * @returns {Promise<Restore | ApiError>}
 */
async function readRun(id) {
  try {
    return await call(`restores/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && error.code !== 'NoAnswer') return error;
    throw error;
  }
}

/** @returns {Promise<import('../api-types.d.ts').Status | undefined>} */
async function readStatus() {
  try {
    return await call('status');
  } catch {
    return undefined; // Best effort: what is next is then said by what the restore itself knows.
  }
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
 * @param {Known} known
 */
function show(frame, run, { amount, status }) {
  const { tone, title, text } = verdictOf(run);
  const name = titleOf(run);
  frame.title.textContent = name;
  document.title = `${title} – ${name}`;
  fill(frame.steps, stepOf(run));
  fill(frame.way, direction(placesOf(run)));
  fill(frame.head, verdict(tone, title, h('p', {}, text), !isOver(run) && withoutPage()), warnings(run));
  fill(frame.progress, progress(run));
  fill(frame.proof, proof(run, status));
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

/** @type {Partial<Record<Restore['status'], 'failed' | 'stopped'>>} */
const endings = { Failed: 'failed', Canceled: 'stopped' };

/** @param {Restore} run */
function stepOf(run) {
  if (run.purpose !== undefined && run.purpose !== 'restore') return undefined;
  const ending = run.retriedBy === undefined ? endings[run.status] : undefined;
  if (run.dryRun) return canConfirm(run) ? stepper(3) : stepper(2, ending);
  return run.status === 'Succeeded' || run.retriedBy !== undefined ? stepper(6) : stepper(4, ending);
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
