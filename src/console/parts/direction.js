import { h } from './dom.js';

/**
 * From one hub into the other, or one hub alone.
 * @param {[string, import('./dom.js').Child][]} places What is done there, and the hub.
 */
export function direction(places) {
  return h(
    'dl',
    { class: 'direction' },
    places.map(([what, hub]) => h('div', {}, h('dt', {}, what), h('dd', { class: 'name' }, hub))),
  );
}
