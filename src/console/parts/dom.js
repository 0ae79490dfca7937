/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */
/** @typedef {Record<string, string | number | boolean | undefined | ((event: Event) => unknown)>} Props */

/**
 * Creates an element. Text becomes text nodes, never markup; a function is a listener of the event it is named after
 * (`onclick`); `undefined` and `false` attributes are left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 */
export function h(tag, props = {}, ...children) {
  return build(document.createElement(tag), props, children);
}

/**
 * The same for SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 */
export function svg(tag, props = {}, ...children) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

/**
 * Replaces only the children of `region` that changed, so that a refresh disturbs neither selection nor focus. A child
 * with the same `data-kept` as the current one is left alone.
 * @param {Element} region
 * @param {...Child} children
 */
export function fill(region, ...children) {
  const next = nodesOf(children);
  const focusKey = focusKeyWithin(region);
  const now = [...region.childNodes];
  if (now.length !== next.length) region.replaceChildren(...next);
  else {
    for (const [index, node] of next.entries()) {
      const old = now[index];
      if (old && !old.isEqualNode(node) && !isKept(old, node)) old.replaceWith(node);
    }
  }
  if (focusKey === undefined || focusKeyWithin(region) === focusKey) return;
  for (const candidate of region.querySelectorAll('[data-focus]')) {
    if (candidate instanceof HTMLElement && candidate.dataset['focus'] === focusKey) candidate.focus();
  }
}

/**
 * A required element of the page.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} with the id ${id}.`);
}

/**
 * Announces text to screen readers.
 * @param {string} text
 */
export function announce(text) {
  byId('announcer', HTMLElement).textContent = text;
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Props} props
 * @param {Child[]} children
 * @returns {E}
 */
function build(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...nodesOf(children));
  return element;
}

/**
 * @param {Child[]} children
 * @returns {Node[]}
 */
function nodesOf(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false || child === '') return [];
    if (Array.isArray(child)) return nodesOf(child);
    return [child instanceof Node ? child : document.createTextNode(String(child))];
  });
}

/**
 * @param {Node} old
 * @param {Node} node
 */
function isKept(old, node) {
  if (!(old instanceof HTMLElement && node instanceof HTMLElement)) return false;
  return old.dataset['kept'] !== undefined && old.dataset['kept'] === node.dataset['kept'];
}

/** @param {Element} region */
function focusKeyWithin(region) {
  const focused = document.activeElement;
  return focused instanceof HTMLElement && region.contains(focused) ? focused.dataset['focus'] : undefined;
}
