import { call } from '../app/api.js';
import { announce, fill, h } from '../parts/dom.js';
import { actionButton, badge, facts, hubName, notice } from '../parts/widgets.js';

/** @typedef {import('../api-types.d.ts').Examination} Examination */
/** @typedef {import('../api-types.d.ts').Check} Check */
/** @typedef {import('../api-types.d.ts').Comparison} Comparison */

/**
 * What the deployment needs, and where the settings of the two hubs differ: asked for on request, since both ask other
 * services.
 * @param {HTMLElement} section
 */
export function showDeployment(section) {
  section.replaceChildren(
    h('h2', { id: 'deployment-title' }, 'Deployment'),
    asked('Check the deployment', 'doctor', 'The deployment could not be checked.', async () =>
      examined(await call('doctor')),
    ),
    asked('Compare the hubs’ settings', 'compare', 'The settings could not be compared.', async () =>
      compared(await call('metadata/compare', { method: 'POST' })),
    ),
  );
}

/**
 * A button, and below it what it found.
 * @param {string} label
 * @param {string} focus
 * @param {string} failed
 * @param {() => Promise<import('../parts/dom.js').Child[]>} ask
 */
function asked(label, focus, failed, ask) {
  const place = h('div', { class: 'stack' });
  const work = async () => {
    fill(place, await ask());
    announce(place.querySelector('p')?.innerText ?? '');
  };
  return h('div', {}, h('div', { class: 'actions' }, actionButton(label, work, { focus, failed })), place);
}

/** @param {Examination} found */
function examined({ isWell, checks }) {
  const wrong = checks.filter(({ state }) => state === 'bad');
  const open = checks.filter(({ state }) => state === 'unknown');
  const words = isWell
    ? `All that could be checked is right${open.length > 0 ? `; ${open.length} could not, or can be better` : ''}.`
    : `${wrong.length} of ${checks.length} checks found something wrong.`;
  const ordered = [...wrong, ...open, ...checks.filter(({ state }) => state === 'good')];
  return [
    notice(isWell ? 'ok' : 'bad', h('p', {}, words)),
    h(
      'ul',
      { class: 'list checks' },
      ordered.map((check) => h('li', {}, checkRow(check))),
    ),
  ];
}

/** @param {Check} check */
function checkRow({ name, state, message, fix }) {
  const sign = { good: badge('ok', 'good'), bad: badge('bad', 'wrong'), unknown: badge('warn', 'not known') }[state];
  return [sign, ' ', h('strong', {}, name), ' ', message, fix !== undefined && h('p', {}, h('code', {}, fix))];
}

/** @param {Comparison} found */
function compared({ primary, secondary, differences, unknown }) {
  const words =
    differences.length > 0
      ? `${differences.length} settings differ.`
      : unknown.length > 0
        ? 'No difference in what could be compared.'
        : 'No difference.';
  return [
    notice(differences.length > 0 || unknown.length > 0 ? 'warn' : 'ok', h('p', {}, words)),
    differences.length > 0 &&
      facts(
        differences.map((one) => [
          one.what,
          [side(hubName(primary), one.primary), side(hubName(secondary), one.secondary)],
        ]),
      ),
    unknown.length > 0 &&
      h(
        'ul',
        {},
        unknown.map(({ hub, reason }) => h('li', {}, `Not compared: ${hub}: ${reason}`)),
      ),
  ];
}

/**
 * @param {string} hub
 * @param {string} value
 */
function side(hub, value) {
  return h('span', { class: 'line' }, `${hub}: ${value}`);
}
