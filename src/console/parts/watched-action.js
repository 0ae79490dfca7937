import { call } from '../app/api.js';
import { poll, wake } from '../app/poll.js';
import { announce, fill, h } from './dom.js';
import { actionButton, isOver } from './widgets.js';

const POLL_MS = 1000;

/**
 * @template {{ id: string, status: string }} Run
 * @typedef {object} Watched
 * @property {string} label
 * @property {string} kept Tells this button from others with the same label.
 * @property {string} focus
 * @property {string} failed
 * @property {string} start The call that starts the run.
 * @property {string} collection
 * @property {(run: Run) => import('./dom.js').Child} words How the run is going, or has gone.
 */

/**
 * A button that starts a run, shows below how it goes, and can stop it.
 * @template {{ id: string, status: string }} Run
 * @param {Watched<Run>} watched
 */
export function watchedAction(watched) {
  const { label, kept, focus, failed } = watched;
  const place = h('div', { role: 'status' });
  const button = actionButton(label, () => watch(watched, place), { focus, failed });
  return h('div', { class: 'action', 'data-kept': kept }, button, place);
}

/**
 * @template {{ id: string, status: string }} Run
 * @param {Watched<Run>} watched
 * @param {HTMLElement} place
 */
async function watch({ start, collection, focus, words }, place) {
  /** @type {Run} */
  const started = await call(start, { method: 'POST' });
  const path = `${collection}/${encodeURIComponent(started.id)}`;
  const stop = actionButton('Stop', () => call(`${path}/cancel`, { method: 'POST' }), {
    focus: `stop-${focus}`,
    failed: 'It was not stopped.',
  });
  const leaving = new AbortController();
  await poll(async () => {
    if (!place.isConnected) return undefined;
    /** @type {Run} */
    const run = await call(path);
    fill(place, words(run), !isOver(run) && stop);
    if (!isOver(run)) return POLL_MS;
    announce(place.innerText);
    wake();
    return undefined;
  }, leaving.signal);
}
