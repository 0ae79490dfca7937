import { call } from '../app/api.js';
import { poll, wake } from '../app/poll.js';
import { announce, fill, h } from './dom.js';
import { actionButton, isOver, problem } from './widgets.js';

const POLL_MS = 1000;

/**
 * @template {{ id: string, status: string }} Run
 * @typedef {object} Watched
 * @property {string} label
 * @property {string} kept Tells this button from others with the same label.
 * @property {string} focus
 * @property {string | undefined} [look] A class of the button.
 * @property {string} busy
 * @property {string} failed
 * @property {boolean} [findsRunning] Whether one that was started elsewhere is shown, too.
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
  const { label, look, kept, focus, busy, failed, start, collection } = watched;
  const place = h('div', { role: 'status' });
  const show = (/** @type {Run} */ run) => {
    // Not waited for: the button has done its part.
    watch(watched, run, place).catch((error) => fill(place, problem(error, 'How it goes could not be read.')));
  };
  const button = actionButton(label, async () => show(await call(start, { method: 'POST' })), {
    class: look,
    focus,
    busy,
    failed,
  });
  if (watched.findsRunning) {
    call(collection)
      .then((/** @type {{ value: Run[] }} */ { value: [newest] }) => newest && !isOver(newest) && show(newest))
      .catch(() => {
        // Best effort: the history lists them, and says what is wrong.
      });
  }
  return h('div', { class: 'action', 'data-kept': `${kept} ${look ?? ''}` }, button, place);
}

/**
 * @template {{ id: string, status: string }} Run
 * @param {Watched<Run>} watched
 * @param {Run} started
 * @param {HTMLElement} place
 */
async function watch({ collection, focus, words }, started, place) {
  const path = `${collection}/${encodeURIComponent(started.id)}`;
  const stop = actionButton('Stop', () => call(`${path}/cancel`, { method: 'POST' }), {
    focus: `stop-${focus}`,
    busy: 'Stopping …',
    failed: 'It was not stopped.',
  });
  fill(place, words(started), stop);
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
