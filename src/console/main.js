import { useKeyFrom } from './app/api.js';
import { askForKey } from './app/key.js';
import { watchConnection } from './app/poll.js';
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
// The key is nowhere but in the memory of this page: a reload forgets it.
byId('lock', HTMLElement).addEventListener('click', () => location.reload());
window.addEventListener('hashchange', () => show(true));
show(false);
if (isOverview()) await goToRunning();

/**
 * Shows what the address asks for. No address holds anything secret.
 * @param {boolean} isMove Whether the person came from another view: then the new one's title gets the focus.
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
  } else showOverview(view, leaving.signal);
  if (!isMove) return;
  window.scrollTo(0, 0);
  view.querySelector('h1')?.focus({ preventScroll: true });
}

function isOverview() {
  return ['', '#', '#/'].includes(location.hash);
}

/** Who comes back while a restore runs (a reload, another phone) wants to see that one. */
async function goToRunning() {
  try {
    const running = (await readRestores()).find((run) => !isOver(run) && run.purpose !== 'drill');
    if (running !== undefined && isOverview()) {
      location.hash = `#/restores/${encodeURIComponent(running.id)}`;
    }
  } catch {
    // Best effort: the overview reads the same list, shows it, and says what is wrong.
  }
}
