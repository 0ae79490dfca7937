import { h } from './dom.js';
import { number, plural } from './format.js';
import { onThisPage } from './on-this-page.js';
import { watchedAction } from './watched-action.js';
import { isOver, notice } from './widgets.js';

/** @typedef {import('../api-types.d.ts').Verification} Verification */

/**
 * A button that starts the verification of a snapshot and shows its progress below.
 * @param {string} id
 * @param {string} label
 * @param {string | undefined} [look] A class of the button.
 */
export function verifyButton(id, label, look) {
  return watchedAction({
    label,
    kept: `${label} ${id}`,
    focus: 'verify',
    look,
    busy: 'Starting the verification …',
    failed: 'The snapshot was not verified.',
    start: `snapshots/${encodeURIComponent(id)}/verify`,
    collection: 'verifications',
    words: describe,
  });
}

/** @param {Verification} run */
function describe(run) {
  const { total = 0, verified = 0 } = run.counts ?? {};
  if (!isOver(run)) return notice('run', h('p', {}, `Verifying: ${number(verified)} of ${plural(total, 'record')}`));
  if (run.status === 'Succeeded')
    return notice('ok', h('p', {}, `Verified: all ${plural(total, 'record')} can be read.`));
  if (run.status === 'Canceled') return notice('warn', h('p', {}, 'Stopped. It proves nothing.'));
  return notice('bad', h('p', {}, onThisPage(run.error?.message ?? 'The verification failed.')), damage(run));
}

/** @param {Verification} verification */
function damage({ damagedArtefacts = [] }) {
  if (damagedArtefacts.length === 0) return undefined;
  return h(
    'ul',
    {},
    damagedArtefacts.map(({ name, message }) => h('li', {}, h('code', {}, name), ' ', message)),
  );
}
