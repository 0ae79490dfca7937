import { outcomeRows } from '../parts/counts.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { pagedList } from '../parts/paged-list.js';

/** Named elsewhere on the page, or nothing was done about them. */
const OTHERS = ['failed', 'pending'];

/**
 * Which records were created, updated, left …, kind by kind: some examples of a dry run, and all on request.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function records(run) {
  const kinds = [...outcomeRows(run).flatMap((row) => kindOf(run, row)), ...racedOf(run)];
  if (kinds.length === 0) return undefined;
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'records-title' },
    h('h2', { id: 'records-title' }, 'Which records'),
    kinds.map((kind) => details(run, kind)),
  );
}

/** @typedef {{ outcome: keyof import('../api-types.d.ts').Outcomes | 'raced', name: string, count: number }} Kind */

/**
 * @param {import('../api-types.d.ts').Restore} run
 * @param {import('../parts/counts.js').OutcomeRow} row
 * @returns {Kind[]}
 */
function kindOf(run, { outcome, name, dryName }) {
  const count = run.counts[outcome] ?? 0;
  return count === 0 || OTHERS.includes(outcome) ? [] : [{ outcome, name: run.dryRun ? dryName : name, count }];
}

/**
 * They are among the created ones, too.
 * @param {import('../api-types.d.ts').Restore} run
 * @returns {Kind[]}
 */
function racedOf({ raced = 0 }) {
  return raced === 0
    ? []
    : [{ outcome: 'raced', name: 'Created over a registration of the last moment', count: raced }];
}

/**
 * @param {import('../api-types.d.ts').Restore} run
 * @param {Kind} kind
 */
function details(run, { outcome, name, count }) {
  const examples = (outcome === 'raced' ? undefined : run.examples?.[outcome]) ?? [];
  return h(
    'details',
    {},
    h('summary', {}, `${name}: ${plural(count, 'record')}`),
    examples.length > 0 &&
      h(
        'p',
        { class: 'examples' },
        'Such as ',
        examples.flatMap((record, at) => [at > 0 && ', ', h('code', {}, record)]),
      ),
    pagedList(`restores/${encodeURIComponent(run.id)}/records`, recordRow, {
      query: { outcome },
      show: 'Show them',
      failed: 'The records could not be read.',
    }),
  );
}

/** @param {{ record: string }} item */
function recordRow({ record }) {
  return h('li', { tabindex: -1 }, h('code', {}, record));
}
