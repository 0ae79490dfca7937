import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { pagedList } from '../parts/paged-list.js';
import { reasonOf } from './run-words.js';

/**
 * Why devices failed and, on request, which ones, page by page.
 * @param {string} runId
 * @param {Record<string, number>} byCode
 */
export function failures(runId, byCode) {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'failures-title' },
    h('h2', { id: 'failures-title' }, 'Why devices failed'),
    h(
      'ul',
      {},
      Object.entries(byCode).map(([code, count]) =>
        h('li', {}, `${plural(count, 'device')}: ${reasonOf(code)} `, h('code', {}, code)),
      ),
    ),
    pagedList(`restores/${encodeURIComponent(runId)}/failures`, failureRow, {
      show: 'Show the failed devices',
      failed: 'The failed devices could not be read.',
    }),
  );
}

/** @param {import('../api-types.d.ts').Failure} failure */
function failureRow({ record, code, status }) {
  return h(
    'li',
    { tabindex: -1 },
    h('code', {}, record),
    `: ${reasonOf(code)}`,
    status !== undefined && `, answered with ${status}`,
  );
}
