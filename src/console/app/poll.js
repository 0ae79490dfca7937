import { announce, byId } from '../parts/dom.js';
import { clock } from '../parts/format.js';
import { isTemporary } from './api.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Polls that currently get no answer.
 * @type {Map<object, { nextAt: number, since: number, cause: string }>}
 */
const lost = new Map();
/** Longer than a restart of the app, or a network that changes. */
const LONG_MS = 60_000;
const waking = new EventTarget();

/**
 * Calls `work` until it returns no further pause, or `signal` aborts. While there is no answer it retries with growing
 * pauses and says so at the top of the page. Throws errors that a retry cannot fix.
 * @param {() => Promise<number | undefined>} work Returns the pause in milliseconds, or `undefined` when it is done.
 * @param {AbortSignal} signal
 */
export async function poll(work, signal) {
  const self = {};
  let answeredAt = Date.now();
  signal.addEventListener('abort', () => forget(self), { once: true });
  for (let failures = 0; !signal.aborted; ) {
    let pauseMs;
    try {
      pauseMs = await work();
      failures = 0;
      answeredAt = Date.now();
      forget(self);
    } catch (error) {
      if (!isTemporary(error) || signal.aborted) {
        forget(self);
        if (signal.aborted) return;
        throw error;
      }
      pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      failures += 1;
      lost.set(self, { nextAt: Date.now() + pauseMs, since: answeredAt, cause: error.message });
      showConnection();
    }
    if (pauseMs === undefined) return;
    await pause(pauseMs, signal);
  }
}

/** Makes every poll due now: after an action, or when the network is back. */
export function wake() {
  waking.dispatchEvent(new Event('wake'));
}

/** Call it once. */
export function watchConnection() {
  byId('connection-retry', HTMLButtonElement).addEventListener('click', wake);
  window.addEventListener('online', wake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake();
  });
  setInterval(showConnection, 1000);
}

/** @param {object} poller */
function forget(poller) {
  if (lost.delete(poller)) showConnection();
}

function showConnection() {
  const banner = byId('connection', HTMLElement);
  const wasLost = !banner.hidden;
  banner.hidden = lost.size === 0;
  // What rests on an answer is shown as old, see the styles.
  document.documentElement.toggleAttribute('data-lost', lost.size > 0);
  if (lost.size === 0) {
    if (wasLost) announce('The app answers again.');
    return;
  }
  const polls = [...lost.values()];
  const since = Math.min(...polls.map((one) => one.since));
  const cause = navigator.onLine ? (polls[0]?.cause ?? '') : 'This computer is offline.';
  const known = `What you see is of ${clock(since)}; what has become of it since is not known.`;
  // Announced once; the countdown is visual only.
  if (!wasLost) announce(`${cause} ${known}`);
  const seconds = Math.max(0, Math.ceil((Math.min(...polls.map((one) => one.nextAt)) - Date.now()) / 1000));
  const when = seconds === 0 ? 'Trying again now.' : `Trying again in ${seconds} s.`;
  byId('connection-text', HTMLElement).textContent = `${cause} ${known} ${when}`;
  byId('connection-long', HTMLElement).hidden = !navigator.onLine || Date.now() - since < LONG_MS;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      waking.removeEventListener('wake', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    waking.addEventListener('wake', end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
