import { call } from '../app/api.js';
import { h } from './dom.js';
import { actionButton } from './widgets.js';

/**
 * A list that is read on request, page by page.
 * @template T
 * @param {string} path
 * @param {(item: T) => HTMLElement} toRow Gives a row that can have the focus.
 * @param {{ show: string, failed: string, query?: Record<string, string> }} texts
 */
export function pagedList(path, toRow, { show, failed, query = {} }) {
  const list = h('ol', { class: 'records' });
  const more = h('div', { class: 'actions' });
  const load = async (/** @type {string} */ search) => {
    /** @type {{ value: T[], nextLink?: string, note?: string }} */
    const page = await call(`${path}${search}`);
    const items = page.value.map(toRow);
    list.append(...items);
    // Only the query of the link is used: behind a gateway its host may differ from this page's.
    const next = page.nextLink === undefined ? undefined : new URL(page.nextLink).search;
    const none = list.childElementCount === 0 ? 'None yet.' : '';
    const rest = next === undefined ? (page.note ?? none) : actionButton('Show more', () => load(next));
    more.replaceChildren(rest);
    items[0]?.focus();
  };
  const first = Object.keys(query).length === 0 ? '' : `?${new URLSearchParams(query)}`;
  more.replaceChildren(actionButton(show, () => load(first), { failed }));
  return [list, more];
}
