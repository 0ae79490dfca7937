import { h } from './dom.js';
import { onThisPage } from './on-this-page.js';
import { watchedAction } from './watched-action.js';
import { isOver, notice } from './widgets.js';

/** @typedef {import('../api-types.d.ts').Drill} Drill */

/** A button that starts a drill and shows its stages below; those of one that already runs, too. */
export function drillButton() {
  return watchedAction({
    label: 'Run a drill',
    kept: 'drill',
    focus: 'drill',
    busy: 'Starting the drill …',
    findsRunning: true,
    failed: 'The drill was not started.',
    start: 'drills',
    collection: 'drills',
    words: describe,
  });
}

/** @type {Record<string, string>} */
const stages = {
  sweeping: 'Emptying the scratch hub of an earlier drill …',
  restoring: 'Restoring into the scratch hub …',
  emptying: 'Emptying the scratch hub again …',
  verifying: 'Verifying the newest snapshot …',
};

/** @param {Drill} drill */
function describe(drill) {
  const { status, stage = '', reason = 'No reason was given.' } = drill;
  if (!isOver(drill)) return notice('run', h('p', {}, stages[stage] ?? 'Running …'));
  if (status === 'Succeeded') return notice('ok', h('p', {}, 'The drill has passed.'));
  return notice(status === 'Canceled' ? 'warn' : 'bad', h('p', {}, onThisPage(reason)));
}
