import { h } from './dom.js';
import { number } from './format.js';

/**
 * @typedef {object} OutcomeRow
 * @property {keyof import('../api-types.d.ts').Outcomes} outcome
 * @property {string} name
 * @property {string} dryName What a dry run says: nothing has been done.
 * @property {string} meaning
 * @property {string} [dryMeaning]
 * @property {boolean} [isRare] Shown only when there is one.
 */

/** @type {OutcomeRow[]} */
const restoreRows = [
  {
    outcome: 'created',
    name: 'Created',
    dryName: 'To create',
    meaning: 'were missing, and were put in place',
    dryMeaning: 'missing in the hub',
  },
  {
    outcome: 'updated',
    name: 'Completed',
    dryName: 'To complete',
    meaning: 'were there in part; the rest was added',
    dryMeaning: 'there in part; the rest is added',
    isRare: true,
  },
  { outcome: 'unchanged', name: 'Unchanged', dryName: 'Unchanged', meaning: 'in place already' },
  {
    outcome: 'keptLive',
    name: 'Kept live',
    dryName: 'Kept live',
    meaning: 'registered anew meanwhile; left alone',
  },
  { outcome: 'removed', name: 'Removed', dryName: 'To remove', meaning: 'taken out again', isRare: true },
  { outcome: 'failed', name: 'Failed', dryName: 'Would fail', meaning: 'could not be restored', isRare: true },
  {
    outcome: 'pending',
    name: 'Open',
    dryName: 'Open',
    meaning: 'not looked at yet',
    isRare: true,
  },
];

/** @type {OutcomeRow[]} */
const rollbackRows = [
  { outcome: 'removed', name: 'Removed', dryName: 'To remove', meaning: 'taken out again' },
  { outcome: 'unchanged', name: 'Already gone', dryName: 'Already gone', meaning: 'nothing was left to remove' },
  { outcome: 'keptLive', name: 'Kept live', dryName: 'Kept live', meaning: 'changed by the device since; left alone' },
  { outcome: 'failed', name: 'Failed', dryName: 'Would fail', meaning: 'could not be removed', isRare: true },
  { outcome: 'pending', name: 'Open', dryName: 'Open', meaning: 'not looked at yet', isRare: true },
];

/**
 * What became (or, in a dry run, would become) of every device, by platform. Each column adds up to its last line.
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
          h('th', { scope: 'row' }, run.purpose === 'rollback' ? 'Written by that restore' : 'Asked for'),
          h('td', { class: 'figure all' }, number(run.counts.total)),
          columns.map(([, counts]) => h('td', { class: 'figure' }, number(sum(counts)))),
        ),
      ),
    ),
  );
}

/**
 * All that is in the hub as it should be.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function settledCount({ counts }) {
  return counts.total - (counts.failed ?? 0) - (counts.pending ?? 0);
}

/** @param {import('../api-types.d.ts').Outcomes} counts */
function sum(counts) {
  return restoreRows.reduce((sofar, { outcome }) => sofar + (counts[outcome] ?? 0), 0);
}
