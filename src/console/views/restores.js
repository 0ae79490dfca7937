import { call } from '../app/api.js';
import { poll } from '../app/poll.js';
import { restoreAddress } from '../parts/addresses.js';
import { settledCount } from '../parts/counts.js';
import { fill, h } from '../parts/dom.js';
import { clockTime, number, plural } from '../parts/format.js';
import { hubName, isOver, problem, statusBadge } from '../parts/widgets.js';
import { kindOf } from './run-words.js';
import { wholeOf } from './whole.js';

/** @typedef {import('../api-types.d.ts').Restore} Restore */

const CALM_MS = 15_000;
const BUSY_MS = 3000;
const SHOWN = 12;

/**
 * The last restores that are no syncs, newest first.
 * @param {HTMLElement} section
 * @param {AbortSignal} signal
 */
export function showRestores(section, signal) {
  const list = h('ul', { class: 'list' });
  const state = h('p', { class: 'muted' }, 'Loading restores …');
  section.replaceChildren(h('h2', { id: 'restores-title' }, 'Restores'), state, list);
  poll(async () => {
    const value = await readRestores();
    // One comes with each backup: they would hide what people asked for.
    const others = value.filter(({ purpose }) => purpose !== 'sync');
    state.hidden = others.length > 0;
    fill(state, value.length === 0 ? 'None yet.' : 'Only syncs of late: the history lists them.');
    fill(
      list,
      others.slice(0, SHOWN).map((run) => restoreRow(run, value)),
    );
    return value.some((run) => !isOver(run)) ? BUSY_MS : CALM_MS;
  }, signal).catch((error) => {
    state.hidden = false;
    fill(state, problem(error, 'The restores could not be read.'));
  });
}

/** @returns {Promise<Restore[]>} Newest first. */
export async function readRestores() {
  const { value } = /** @type {{ value: Restore[] }} */ (await call('restores'));
  return value;
}

/**
 * From which hub into which.
 * @param {Restore} run
 */
export function wayOf({ purpose, snapshot, target }) {
  const into = hubName(target);
  return purpose === 'rollback' || snapshot.hub === undefined ? `in ${into}` : `${hubName(snapshot.hub)} → ${into}`;
}

/**
 * @param {Restore} run
 * @param {Restore[]} all
 */
function restoreRow(run, all) {
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'row', href: restoreAddress(run.id), 'data-focus': run.id },
      h(
        'span',
        { class: 'row-time' },
        h('strong', {}, kindOf(run)),
        h('span', { class: 'line' }, clockTime(run.createdAt)),
        h('span', { class: 'line' }, wayOf(run)),
        noteOf(run),
        h('span', { class: 'line muted' }, h('code', {}, run.id)),
      ),
      h('span', { class: 'row-figure' }, summaryOf(run, all)),
      h('span', { class: 'row-badges' }, statusBadge(run)),
    ),
  );
}

/** Who asked, and why. @param {Restore} run */
function noteOf({ askedBy, note }) {
  const said = [askedBy, note].filter(Boolean).join(': ');
  return said === '' ? undefined : h('span', { class: 'line muted' }, said);
}

/**
 * @param {Restore} run
 * @param {Restore[]} all
 */
function summaryOf(run, all) {
  const { total } = run.counts;
  if (!isOver(run)) return `${run.phase}, ${number(settledCount(run))} of ${number(total)}`;
  const whole = wholeOf(run, all);
  if (whole !== undefined) return `${whole.sum} records`;
  const failed = run.counts.failed ?? 0;
  return `${plural(total, 'record')}${failed > 0 ? `, ${number(failed)} failed${run.retriedBy === undefined ? '' : ', then restored by a retry'}` : ''}`;
}
