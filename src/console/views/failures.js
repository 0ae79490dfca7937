import { call } from '../app/api.js';
import { h } from '../parts/dom.js';
import { number, plural } from '../parts/format.js';
import { pagedList } from '../parts/paged-list.js';
import { problem } from '../parts/widgets.js';
import { reasonOf } from './run-words.js';

/**
 * @typedef {import('../api-types.d.ts').Restore} Restore
 * @typedef {import('../api-types.d.ts').Failure} Failure
 * @typedef {import('../api-types.d.ts').FailureGroup} FailureGroup
 */

/**
 * Why records failed, as the app counts them, and on request each of them.
 * @param {HTMLElement} place
 * @param {Restore} run
 */
export function showFailures(place, { id, failuresByCode = {} }) {
  const path = `restores/${encodeURIComponent(id)}/failures`;
  const byCode = Object.entries(failuresByCode).map(([code, count]) => groupRow({ code, count, examples: [] }));
  const groups = h('ul', { class: 'groups' }, byCode);
  place.replaceChildren(
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'failures-title' },
      h('h2', { id: 'failures-title' }, 'Why records failed'),
      groups,
      pagedList(path, failureRow, {
        show: 'Show each of them',
        failed: 'The failed records could not be read.',
      }),
    ),
  );
  readGroups(path)
    .then((read) => groups.replaceChildren(...read.map(groupRow)))
    .catch((error) => groups.after(problem(error, 'What the hub said could not be read.')));
}

/**
 * Of many records the app counts a part at a time.
 * @param {string} path
 * @returns {Promise<FailureGroup[]>} The most first.
 */
async function readGroups(path) {
  /** @type {Map<string, FailureGroup>} */
  const groups = new Map();
  for (let search = '?by=reason'; search !== ''; ) {
    /** @type {{ value: FailureGroup[], nextLink?: string }} */
    const part = await call(`${path}${search}`);
    for (const group of part.value) {
      const key = JSON.stringify([group.code, group.status, group.platform, group.words]);
      const known = groups.get(key);
      groups.set(key, known === undefined ? group : { ...known, count: known.count + group.count });
    }
    search = part.nextLink === undefined ? '' : new URL(part.nextLink).search;
  }
  return [...groups.values()].sort((one, other) => other.count - one.count);
}

/** @param {FailureGroup} group */
function groupRow({ code, status, platform, words, count, examples }) {
  const rest = count - examples.length;
  return h(
    'li',
    {},
    h('strong', {}, `${plural(count, 'record')}${platform === undefined ? '' : ` of ${platform}`}`),
    `: ${reasonOf(code)} (`,
    h('code', {}, code),
    status === undefined ? ')' : `, HTTP ${status})`,
    words !== undefined && h('span', { class: 'line' }, `The hub says: ${words}`),
    examples.length > 0 &&
      h(
        'span',
        { class: 'line muted' },
        'Such as ',
        examples.flatMap((record, at) => [at > 0 && ', ', h('code', {}, record)]),
        rest > 0 && ` and ${number(rest)} more`,
      ),
  );
}

/** @param {Failure} failure */
function failureRow({ record, code, status }) {
  return h(
    'li',
    { tabindex: -1 },
    h('code', {}, record),
    `: ${reasonOf(code)}`,
    status !== undefined && `, answered with ${status}`,
  );
}
