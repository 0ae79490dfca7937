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
    name: 'Completed',
    dryName: 'To complete',
    meaning: 'were incomplete; the rest was added',
    dryMeaning: 'incomplete; the rest will be added',
    isRare: true,
  },
  { outcome: 'unchanged', name: 'Unchanged', dryName: 'Unchanged', meaning: 'already in place' },
  {
    outcome: 'keptLive',
    name: 'Kept live',
    dryName: 'Kept live',
    meaning: 'registered again since; left alone',
  },
  { outcome: 'removed', name: 'Removed', dryName: 'To remove', meaning: 'removed again', isRare: true },
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
  { outcome: 'unchanged', name: 'Already gone', dryName: 'Already gone', meaning: 'nothing was left to remove' },
  { outcome: 'keptLive', name: 'Kept live', dryName: 'Kept live', meaning: 'changed by the device since; left alone' },
  { outcome: 'failed', name: 'Failed', dryName: 'Would fail', meaning: 'could not be removed', isRare: true },
  { outcome: 'pending', name: 'Pending', dryName: 'Pending', meaning: 'not processed yet', isRare: true },
];

/**
 * The outcome, or for a dry run the expected outcome, of every device by platform. Each column adds up to its last row.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function countsTable(run) {
  const columns = Object.entries(run.byPlatform ?? {}).sort((a, b) => sum(b[1]) - sum(a[1]));
  const rows = (run.purpose === 'rollback' ? rollbackRows : restoreRows).filter(
    ({ outcome, isRare }) => !isRare || (run.counts[outcome] ?? 0) > 0,
  );
  const isDry = run.dryRun === true;
  const head = (/** @type {string} */ text) => h('th', { scope: 'col', class: 'figure' }, text);
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Devices by outcome and platform', tabindex: 0 },
    h(
      'table',
      { class: 'counts' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Devices'),
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
}

/**
 * Devices that are neither failed nor pending.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function settledCount({ counts }) {
  return counts.total - (counts.failed ?? 0) - (counts.pending ?? 0);
}

/** @param {import('../api-types.d.ts').Outcomes} counts */
function sum(counts) {
  return restoreRows.reduce((total, { outcome }) => total + (counts[outcome] ?? 0), 0);
}
