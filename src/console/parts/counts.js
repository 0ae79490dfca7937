import { h } from './dom.js';
import { number } from './format.js';

/**
 * @typedef {object} OutcomeRow
 * @property {keyof import('../api-types.d.ts').Outcomes} outcome
 * @property {string} name
 * @property {string} dryName For a dry run, which writes nothing.
 * @property {string} meaning
 * @property {string} [dryMeaning]
 * @property {boolean} [isRare] Shown only when it is not zero.
 */

/** @type {OutcomeRow[]} */
const restoreRows = [
  {
    outcome: 'created',
    name: 'Created',
    dryName: 'To create',
    meaning: 'were missing; now restored',
    dryMeaning: 'missing in the hub',
  },
  {
    outcome: 'updated',
    name: 'Updated',
    dryName: 'To update',
    meaning: 'were older or incomplete; now as in the snapshot',
    dryMeaning: 'older or incomplete',
    isRare: true,
  },
  { outcome: 'unchanged', name: 'Unchanged', dryName: 'Unchanged', meaning: 'already in place' },
  {
    outcome: 'keptLive',
    name: 'Kept live',
    dryName: 'Kept live',
    meaning: 'registered again since; left alone',
  },
  {
    outcome: 'renewed',
    name: 'Renewed',
    dryName: 'To renew',
    meaning: 'were about to expire earlier than in the source',
    dryMeaning: 'expire earlier than in the source',
    isRare: true,
  },
  {
    outcome: 'moved',
    name: 'Moved',
    dryName: 'To move',
    meaning: 'are under the registration id of the source now',
    dryMeaning: 'under another registration id than in the source',
    isRare: true,
  },
  {
    outcome: 'conflict',
    name: 'Conflict',
    dryName: 'Conflict',
    meaning: 'differ in both hubs; left alone',
    isRare: true,
  },
  {
    outcome: 'unknownOrigin',
    name: 'Unknown origin',
    dryName: 'Unknown origin',
    meaning: 'differ, and nothing is known of where they are from; left alone',
    isRare: true,
  },
  {
    outcome: 'goneInTarget',
    name: 'Gone',
    dryName: 'Gone',
    meaning: 'went since the snapshot; left out',
    isRare: true,
  },
  {
    outcome: 'withdrawn',
    name: 'Removed',
    dryName: 'To remove',
    meaning: 'are no longer in the source; removed',
    dryMeaning: 'no longer in the source',
    isRare: true,
  },
  {
    outcome: 'leftover',
    name: 'Left over',
    dryName: 'Left over',
    meaning: 'are no longer in the snapshot; left alone',
    isRare: true,
  },
  {
    outcome: 'onlyInTarget',
    name: 'Only in the target',
    dryName: 'Only in the target',
    meaning: 'registered there by themselves; left alone',
    isRare: true,
  },
  { outcome: 'failed', name: 'Failed', dryName: 'Would fail', meaning: 'could not be restored', isRare: true },
  {
    outcome: 'pending',
    name: 'Pending',
    dryName: 'Pending',
    meaning: 'not processed yet',
    isRare: true,
  },
];

/** @type {OutcomeRow[]} */
const rollbackRows = [
  { outcome: 'removed', name: 'Removed', dryName: 'To remove', meaning: 'removed again' },
  {
    outcome: 'putBack',
    name: 'Put back',
    dryName: 'To put back',
    meaning: 'as they were before that restore',
    isRare: true,
  },
  { outcome: 'unchanged', name: 'Already gone', dryName: 'Already gone', meaning: 'nothing was left to remove' },
  { outcome: 'keptLive', name: 'Kept live', dryName: 'Kept live', meaning: 'changed by the device since; left alone' },
  { outcome: 'failed', name: 'Failed', dryName: 'Would fail', meaning: 'could not be removed', isRare: true },
  { outcome: 'pending', name: 'Pending', dryName: 'Pending', meaning: 'not processed yet', isRare: true },
];

const OTHER = 'Other: what the snapshot does not hold, which is counted without its platform.';

/** @param {import('../api-types.d.ts').Restore} run */
export function outcomeRows(run) {
  return run.purpose === 'rollback' ? rollbackRows : restoreRows;
}

/**
 * The outcome, or for a dry run the expected outcome, of every record by platform. Each column adds up to its last row.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function countsTable(run) {
  const columns = Object.entries(run.byPlatform ?? {}).sort((a, b) => sum(b[1]) - sum(a[1]));
  const rows = outcomeRows(run).filter(({ outcome, isRare }) => !isRare || (run.counts[outcome] ?? 0) > 0);
  const isDry = run.dryRun === true;
  const head = (/** @type {string} */ text) => h('th', { scope: 'col', class: 'figure' }, text);
  const table = scrollable(
    'Records by outcome and platform',
    h(
      'table',
      { class: 'counts' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Records'),
          head('All'),
          columns.map(([name]) => head(name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            { class: row.outcome },
            h(
              'th',
              { scope: 'row' },
              isDry ? row.dryName : row.name,
              h('span', { class: 'muted small' }, isDry ? (row.dryMeaning ?? row.meaning) : row.meaning),
            ),
            h('td', { class: 'figure all' }, number(run.counts[row.outcome])),
            columns.map(([, counts]) => h('td', { class: 'figure' }, number(counts[row.outcome]))),
          ),
        ),
      ),
      h(
        'tfoot',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, run.purpose === 'rollback' ? 'Written by that restore' : 'Requested'),
          h('td', { class: 'figure all' }, number(run.counts.total)),
          columns.map(([, counts]) => h('td', { class: 'figure' }, number(sum(counts)))),
        ),
      ),
    ),
  );
  const other = run.byPlatform?.['Other'] !== undefined && h('p', { class: 'muted small' }, OTHER);
  return [table, other];
}

/**
 * A table that may be wider than its place, which it then says.
 * @param {string} label
 * @param {HTMLElement} table
 */
function scrollable(label, table) {
  const hint = h(
    'p',
    { class: 'muted small hint', hidden: true },
    'There are more columns: scroll the table sideways. →',
  );
  const region = h('div', { class: 'scroll', role: 'region', 'aria-label': label, tabindex: 0 }, table);
  new ResizeObserver(() => {
    hint.hidden = region.scrollWidth <= region.clientWidth;
  }).observe(region);
  return h('div', {}, hint, region);
}

/**
 * Records that are neither failed nor pending.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function settledCount({ counts }) {
  return counts.total - (counts.failed ?? 0) - (counts.pending ?? 0);
}

/** @param {import('../api-types.d.ts').Outcomes} counts */
function sum(counts) {
  const outcomes = new Set([...restoreRows, ...rollbackRows].map(({ outcome }) => outcome));
  return [...outcomes].reduce((total, outcome) => total + (counts[outcome] ?? 0), 0);
}
