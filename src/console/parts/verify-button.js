import { call } from '../app/api.js';
import { poll, wake } from '../app/poll.js';
import { announce, fill, h } from './dom.js';
import { number, plural } from './format.js';
import { actionButton, isOver, notice } from './widgets.js';

const POLL_MS = 1000;

/**
 * A button that starts the verification of a snapshot and shows its progress below.
 * @param {string} id
 * @param {string} label
 */
export function verifyButton(id, label) {
  const place = h('div', { role: 'status' });
  const button = actionButton(label, () => verify(id, place), {
    focus: 'verify',
    failed: 'The snapshot was not verified.',
  });
  return h('div', { class: 'action', 'data-kept': `${label} ${id}` }, button, place);
}

/**
 * @param {string} id
 * @param {HTMLElement} place
 */
async function verify(id, place) {
  /** @type {import('../api-types.d.ts').Verification} */
  const started = await call(`snapshots/${encodeURIComponent(id)}/verify`, { method: 'POST' });
  const leaving = new AbortController();
  await poll(async () => {
    if (!place.isConnected) return undefined;
    /** @type {import('../api-types.d.ts').Verification} */
    const now = await call(`verifications/${encodeURIComponent(started.id)}`);
    const { total = 0, verified = 0 } = now.counts ?? {};
    if (!isOver(now))
      fill(place, notice('run', h('p', {}, `Verifying: ${number(verified)} of ${plural(total, 'device')}`)));
    else if (now.status === 'Succeeded')
      fill(place, notice('ok', h('p', {}, `Verified: all ${plural(total, 'device')} can be read.`)));
    else fill(place, notice('bad', h('p', {}, now.error?.message ?? 'The verification failed.'), damage(now)));
    if (!isOver(now)) return POLL_MS;
    announce(place.innerText);
    wake();
    return undefined;
  }, leaving.signal);
}

/** @param {import('../api-types.d.ts').Verification} verification */
function damage({ damagedArtefacts = [] }) {
  if (damagedArtefacts.length === 0) return undefined;
  return h(
    'ul',
    {},
    damagedArtefacts.map(({ name, message }) => h('li', {}, h('code', {}, name), ' ', message)),
  );
}
