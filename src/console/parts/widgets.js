import { ApiError } from '../app/api.js';
import { announce, h, svg } from './dom.js';
import { onThisPage } from './on-this-page.js';

/** @typedef {'ok' | 'warn' | 'bad' | 'info' | 'run'} Tone */

/** @type {Record<Tone, string[]>} */
const shapes = {
  ok: ['M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z', 'm7.5 12.5 3 3 6-6.5'],
  warn: ['M12 3 22 20.5H2Z', 'M12 9.5v5', 'M12 17.4v.2'],
  bad: ['M8 2h8l6 6v8l-6 6H8l-6-6V8Z', 'm8.5 8.5 7 7', 'm15.5 8.5-7 7'],
  info: ['M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z', 'M12 11v6', 'M12 7.2v.2'],
  run: ['M12 2a10 10 0 1 1-9.5 7', 'M12 7v5.5l3.5 2'],
};

/**
 * Each tone has its own shape, so that colour never carries meaning alone.
 * @param {Tone} tone
 */
export function icon(tone) {
  return svg(
    'svg',
    { class: `icon ${tone}`, viewBox: '0 0 24 24', 'aria-hidden': true, focusable: 'false' },
    shapes[tone].map((d) => svg('path', { d })),
  );
}

/**
 * @param {Tone} tone
 * @param {string} text
 */
export function badge(tone, text) {
  return h('span', { class: `badge ${tone}` }, icon(tone), text);
}

/**
 * The headline of a view.
 * @param {Tone} tone
 * @param {string} title
 * @param {...import('./dom.js').Child} children
 */
export function verdict(tone, title, ...children) {
  return h(
    'div',
    { class: `verdict ${tone}` },
    icon(tone),
    h('div', {}, h('p', { class: 'verdict-title' }, title), children),
  );
}

/**
 * Names and values. An `undefined` value leaves out its row: an older app does not send it.
 * @param {[string, import('./dom.js').Child][]} entries
 */
export function facts(entries) {
  return h(
    'dl',
    { class: 'facts' },
    entries
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/**
 * What failed, why, and what the API advises.
 * @param {unknown} error
 * @param {string} attempt What failed: `The restore was not started.`
 */
export function problem(error, attempt) {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof ApiError && error.code !== 'NoAnswer' ? error.code : undefined;
  const details = error instanceof ApiError ? error.details : [];
  return h(
    'div',
    { class: 'notice bad', role: 'alert' },
    icon('bad'),
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, attempt), ' ', onThisPage(message)),
      details.length > 0 &&
        h(
          'ul',
          {},
          details.map((detail) => h('li', {}, onThisPage(detail))),
        ),
      code && h('p', { class: 'muted small' }, 'Code: ', h('code', {}, code)),
    ),
  );
}

/**
 * @param {Tone} tone
 * @param {...import('./dom.js').Child} children
 */
export function notice(tone, ...children) {
  return h('div', { class: `notice ${tone}` }, icon(tone), h('div', {}, children));
}

/**
 * A button that says so while it works, ignores clicks meanwhile, and shows a failure below itself.
 * @param {string} label
 * @param {() => Promise<unknown>} work
 * @param {{ class?: string | undefined, focus?: string, busy?: string, failed?: string }} [options] `busy`: its text
 *   while it works
 */
export function actionButton(label, work, options = {}) {
  const place = h('div', { class: 'action-problem' });
  const button = h('button', { type: 'button', class: options.class, 'data-focus': options.focus }, label);
  const { busy, failed = 'That did not work.' } = options;
  button.addEventListener('click', () => attempt(button, place, { work, busy, failed }));
  // Kept across refreshes while the label is the same, so that an error stays readable.
  return h('div', { class: 'action', 'data-kept': `${label} ${options.class ?? ''}` }, button, place);
}

/** @typedef {{ work: () => Promise<unknown>, busy?: string | undefined, failed: string }} Attempt */

/**
 * Runs `work` once at a time. The button stays enabled meanwhile: disabling it would lose the focus.
 * @param {HTMLButtonElement} button
 * @param {Element} place
 * @param {Attempt} attempted
 */
async function attempt(button, place, { work, busy = 'One moment …', failed }) {
  if (button.ariaBusy === 'true') return;
  const label = button.textContent;
  // Nothing moves under the pointer.
  button.style.minWidth = `${button.offsetWidth}px`;
  button.ariaBusy = 'true';
  button.textContent = busy;
  announce(busy);
  place.replaceChildren();
  try {
    await work();
  } catch (error) {
    place.replaceChildren(problem(error, failed));
  } finally {
    button.ariaBusy = 'false';
    button.textContent = label;
    button.style.minWidth = '';
  }
}

/**
 * Runs `work` when the form is submitted and `isValid` holds.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 * @param {Element} place Shows a failure.
 * @param {Attempt & { isValid?: (() => boolean) | undefined }} options
 */
export function onSubmit(form, button, place, { isValid, ...attempted }) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isValid === undefined || isValid()) await attempt(button, place, attempted);
  });
}

/**
 * In the words that the page of a run has.
 * @param {{ status: import('../api-types.d.ts').Restore['status'], error?: import('../api-types.d.ts').RunError | undefined }} run
 */
export function statusBadge({ status, error }) {
  switch (status) {
    case 'Succeeded':
      return badge('ok', 'Succeeded');
    case 'Failed':
      return badge('bad', error?.code === 'RestoreIncomplete' ? 'Incomplete' : 'Failed');
    case 'Canceled':
      return badge('warn', 'Stopped');
    case 'Running':
      return badge('run', 'Running');
    default:
      return badge('info', 'Not started');
  }
}

/** @param {{ status: string }} run */
export function isOver({ status }) {
  return status === 'Succeeded' || status === 'Failed' || status === 'Canceled';
}

/** @param {import('../api-types.d.ts').HubRef | undefined} ref */
export function hubName(ref) {
  return ref === undefined ? 'unknown' : `${ref.namespace}/${ref.hub}`;
}
