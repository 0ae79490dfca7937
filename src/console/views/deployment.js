import { call } from '../app/api.js';
import { announce, fill, h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { onThisPage } from '../parts/on-this-page.js';
import { actionButton, badge, facts, hubName, notice } from '../parts/widgets.js';

/** @typedef {import('../api-types.d.ts').Examination} Examination */
/** @typedef {import('../api-types.d.ts').Check} Check */
/** @typedef {import('../api-types.d.ts').Comparison} Comparison */

/**
 * What the deployment needs, whether alerts arrive, and where the settings of the two hubs differ: asked for on request,
 * since it asks other services.
 * @param {HTMLElement} section
 * @returns {() => void} Checks the deployment, and moves there.
 */
export function showDeployment(section) {
  const check = asked(
    'Check the deployment',
    'doctor',
    'Checking …',
    'The deployment could not be checked.',
    async () => examined(await call('doctor')),
  );
  section.replaceChildren(
    h('h2', { id: 'deployment-title' }, 'Deployment'),
    h(
      'div',
      { class: 'asked-row' },
      check,
      asked('Send a test alert', 'test-alert', 'Sending …', 'No alert was sent.', async () =>
        sent(await call('alerts/test', { method: 'POST' })),
      ),
      asked('Compare the hubs’ settings', 'compare', 'Comparing …', 'The settings could not be compared.', async () =>
        compared(await call('metadata/compare', { method: 'POST' })),
      ),
    ),
  );
  return () => {
    const button = check.querySelector('button');
    section.scrollIntoView({ block: 'start' });
    button?.focus();
    button?.click();
  };
}

/**
 * A button, and below it what it found.
 * @param {string} label
 * @param {string} focus
 * @param {string} busy
 * @param {string} failed
 * @param {() => Promise<import('../parts/dom.js').Child[]>} ask
 */
function asked(label, focus, busy, failed, ask) {
  const place = h('div', { class: 'stack' });
  const work = async () => {
    fill(place, await ask());
    announce(place.querySelector('p')?.innerText ?? '');
  };
  return h(
    'div',
    { class: 'asked' },
    h('div', { class: 'actions' }, actionButton(label, work, { focus, busy, failed })),
    place,
  );
}

/** @param {{ taken: boolean, seen?: string }} answer */
function sent({ taken, seen }) {
  if (taken) return [notice('ok', h('p', {}, 'The webhook took the alert, and the message that it is over.'))];
  return [notice('bad', h('p', {}, `The webhook did not take the alert: ${seen ?? 'it gave no reason'}.`))];
}

/** @param {Examination} found */
function examined({ isWell, checks }) {
  const wrong = checks.filter(({ state }) => state === 'bad');
  const open = checks.filter(({ state }) => state === 'unknown');
  const words = isWell
    ? `All that could be checked is right${open.length > 0 ? `; ${open.length} could not, or can be better` : ''}.`
    : `${plural(wrong.length, 'check')} of ${checks.length} found something wrong.`;
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
  return [
    sign,
    ' ',
    h('strong', {}, wordsOf(name)),
    ' ',
    onThisPage(message),
    fix !== undefined && h('p', {}, h('code', {}, fix)),
  ];
}

/**
 * `resource manager primary`
 * @param {string} name
 */
function wordsOf(name) {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** @param {Comparison} found */
function compared({ primary, secondary, differences, unknown }) {
  const words =
    differences.length > 0
      ? `${plural(differences.length, 'setting differs', 'settings differ')}.`
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
