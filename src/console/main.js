import { useKeyFrom } from './app/api.js';
import { askForKey } from './app/key.js';
import { watchConnection } from './app/poll.js';
import { restoreAddress } from './parts/addresses.js';
import { byId } from './parts/dom.js';
import { keepTimesFresh } from './parts/format.js';
import { isOver } from './parts/widgets.js';
import { showChoose } from './views/choose.js';
import { choose } from './views/choose-options.js';
import { showOverview } from './views/overview.js';
import { readRestores } from './views/restores.js';
import { showRun } from './views/run.js';

const view = byId('view', HTMLElement);
let leaving = new AbortController();

useKeyFrom(askForKey);
keepTimesFresh();
watchConnection();
// The key is only in the memory of this page: a reload drops it.
byId('lock', HTMLElement).addEventListener('click', () => location.reload());
window.addEventListener('hashchange', () => show(true));
show(false);
if (isOverview()) await goToRunning();

/**
 * Shows the view of the current address. No address holds a secret.
 * @param {boolean} isMove Whether another view was open before: then the new title gets the focus.
 */
function show(isMove) {
  leaving.abort();
  leaving = new AbortController();
  const { pathname, searchParams } = new URL(location.hash.slice(1) || '/', 'http://page');
  const runId = /^\/restores\/(.+)$/.exec(pathname)?.[1];
  document.title = 'Notification Hubs recovery';
  if (runId !== undefined) showRun(view, decodeURIComponent(runId), leaving.signal);
  else if (pathname === '/restore') {
    choose({ snapshot: searchParams.get('snapshot') ?? undefined });
    showChoose(view, leaving.signal);
  } else showOverview(view, leaving.signal, searchParams.get('snapshot') ?? undefined);
  if (!isMove) return;
  window.scrollTo(0, 0);
  view.querySelector('h1')?.focus({ preventScroll: true });
}

function isOverview() {
  return ['', '#', '#/'].includes(location.hash);
}

/** Opens a running restore after a reload or on another device. */
async function goToRunning() {
  try {
    const running = (await readRestores()).find((run) => !isOver(run) && run.purpose !== 'drill');
    if (running !== undefined && isOverview()) {
      location.hash = restoreAddress(running.id);
    }
  } catch {
    // Best effort: the overview reads the same list and reports the error.
  }
}
