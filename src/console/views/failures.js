import { call } from '../app/api.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { actionButton } from '../parts/widgets.js';
import { reasonOf } from './run-words.js';

/** @typedef {{ value: import('../api-types.d.ts').Failure[], nextLink?: string }} Page */

/**
 * Why devices failed and, on request, which ones, page by page.
 * @param {string} runId
 * @param {Record<string, number>} byCode
 */
export function failures(runId, byCode) {
  const path = `restores/${encodeURIComponent(runId)}/failures`;
  const list = h('ol', { class: 'failures' });
  const more = h('div');
  const load = async (/** @type {string} */ query) => {
    /** @type {Page} */
    const page = await call(`${path}${query}`);
    const items = page.value.map(failureRow);
    list.append(...items);
    // Only the query of the link is used: behind a gateway its host may differ from this page's.
    const next = page.nextLink === undefined ? undefined : new URL(page.nextLink).search;
    more.replaceChildren(...(next === undefined ? [] : [actionButton('Show more', () => load(next))]));
    items[0]?.focus();
  };
  more.replaceChildren(
    actionButton('Show the failed devices', () => load(''), { failed: 'The failed devices could not be read.' }),
  );
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
    list,
    more,
  );
}

/** @param {import('../api-types.d.ts').Failure} failure */
function failureRow({ record, code, status }) {
  return h(
    'li',
    { tabindex: -1 },
    h('code', {}, record),
    ` ${reasonOf(code)}`,
    status !== undefined && ` (status ${status})`,
  );
}
