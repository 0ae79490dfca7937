import { outcomeRows } from '../parts/counts.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { pagedList } from '../parts/paged-list.js';

/** Named elsewhere on the page, or nothing was done about them. */
const OTHERS = ['failed', 'pending'];

/**
 * Which devices were created, updated, left …, kind by kind: some examples of a dry run, and all on request.
 * @param {import('../api-types.d.ts').Restore} run
 */
export function records(run) {
  const kinds = outcomeRows(run).filter(({ outcome }) => (run.counts[outcome] ?? 0) > 0 && !OTHERS.includes(outcome));
  if (kinds.length === 0) return undefined;
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'records-title' },
    h('h2', { id: 'records-title' }, 'Which devices'),
    kinds.map((kind) => details(run, kind)),
  );
}

/**
 * @param {import('../api-types.d.ts').Restore} run
 * @param {import('../parts/counts.js').OutcomeRow} kind
 */
function details(run, { outcome, name, dryName }) {
  const examples = run.examples?.[outcome] ?? [];
  const count = run.counts[outcome] ?? 0;
  return h(
    'details',
    {},
    h('summary', {}, `${run.dryRun ? dryName : name}: ${plural(count, 'device')}`),
    examples.length > 0 &&
      h(
        'p',
        {},
        'Such as ',
        examples.flatMap((record) => [h('code', {}, record), ' ']),
      ),
    pagedList(`restores/${encodeURIComponent(run.id)}/records`, recordRow, {
      query: { outcome },
      show: 'Show them',
      failed: 'The devices could not be read.',
    }),
  );
}

/** @param {{ record: string }} item */
function recordRow({ record }) {
  return h('li', { tabindex: -1 }, h('code', {}, record));
}
