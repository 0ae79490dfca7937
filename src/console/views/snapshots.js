import { call } from '../app/api.js';
import { poll, wake } from '../app/poll.js';
import { sizeChart } from '../parts/chart.js';
import { askFirst } from '../parts/dialogs.js';
import { distinguish } from '../parts/distinct-rows.js';
import { announce, fill, h } from '../parts/dom.js';
import { clockTime, moment, number, plural, share, size } from '../parts/format.js';
import { onThisPage } from '../parts/on-this-page.js';
import { verifyButton } from '../parts/verify-button.js';
import { actionButton, badge, facts, hubName, notice, problem } from '../parts/widgets.js';

/**
 * @typedef {import('../api-types.d.ts').Snapshot} Snapshot
 * @typedef {ReturnType<ReturnType<typeof distinguish>>} Apart
 */

const REFRESH_MS = 60_000;
const FIRST_SHOWN = 8;

/**
 * The snapshots, newest first, with their size over time. Returns a function that reloads them.
 * @param {HTMLElement} section
 * @param {AbortSignal} signal
 * @param {string} [openId] The one to open at first, and to move to.
 */
export function showSnapshots(section, signal, openId) {
  const chart = h('div');
  const list = h('ul', { class: 'list' });
  const more = h('div', { class: 'actions' });
  const state = h('p', { class: 'muted' }, 'Loading snapshots …');
  section.replaceChildren(h('h2', { id: 'snapshots-title' }, 'Snapshots'), state, chart, list, more);
  /** @type {Map<string, { text: string, element: HTMLElement }>} */
  const rows = new Map();
  let shown = openId === undefined ? FIRST_SHOWN : Number.POSITIVE_INFINITY;
  let toOpen = openId;
  let drawn = '';
  const show = (/** @type {Snapshot[]} */ snapshots) => {
    fill(state, snapshots.length === 0 && 'None yet. A backup creates one.');
    state.hidden = snapshots.length > 0;
    const text = JSON.stringify(snapshots.map(({ id, counts, health }) => [id, counts?.records, health]));
    if (text !== drawn) chart.replaceChildren(...[sizeChart(snapshots)].filter((one) => one !== undefined));
    drawn = text;
    const apart = distinguish(snapshots);
    const elements = snapshots.slice(0, shown).map((snapshot) => rowFor(rows, snapshot, apart(snapshot)));
    if (elements.some((element, index) => list.children[index] !== element) || list.children.length !== elements.length)
      list.replaceChildren(...elements);
    const rest = snapshots.length - shown;
    fill(
      more,
      rest > 0 &&
        h('button', { type: 'button', onclick: () => showAll(snapshots) }, `Show ${plural(rest, 'older snapshot')}`),
    );
  };
  const showAll = (/** @type {Snapshot[]} */ snapshots) => {
    shown = Number.POSITIVE_INFINITY;
    show(snapshots);
    const firstNew = list.children[FIRST_SHOWN]?.querySelector('summary');
    firstNew?.focus();
  };
  const read = async () => {
    const { value } = /** @type {{ value: Snapshot[] }} */ (await call('snapshots'));
    show(value);
    if (toOpen !== undefined) openRow(rows.get(toOpen)?.element);
    toOpen = undefined;
    return REFRESH_MS;
  };
  const fail = (/** @type {unknown} */ error) => {
    state.hidden = false;
    fill(state, problem(error, 'The snapshots could not be read.'));
  };
  poll(read, signal).catch(fail);
  return () => {
    read().catch(fail);
  };
}

/** @param {HTMLElement | undefined} element */
function openRow(element) {
  const details = element?.querySelector('details');
  if (!details) return;
  details.open = true;
  details.scrollIntoView({ block: 'center' });
  details.querySelector('summary')?.focus({ preventScroll: true });
}

/**
 * The row of a snapshot: the same element while the snapshot is unchanged, and open if it was open.
 * @param {Map<string, { text: string, element: HTMLElement }>} rows
 * @param {Snapshot} snapshot
 * @param {Apart} apart
 */
function rowFor(rows, snapshot, apart) {
  const text = JSON.stringify([snapshot, apart]);
  const old = rows.get(snapshot.id);
  if (old?.text === text) return old.element;
  const isOpen = old?.element.querySelector('details')?.open ?? false;
  const element = h('li', {}, snapshotRow(snapshot, apart, isOpen));
  rows.set(snapshot.id, { text, element });
  return element;
}

/**
 * @param {Snapshot} snapshot
 * @param {Apart} apart
 * @param {boolean} isOpen
 */
function snapshotRow(snapshot, { isExact, hub }, isOpen) {
  const { counts, readStartedAt, pinned, proof } = snapshot;
  return h(
    'details',
    { open: isOpen },
    h(
      'summary',
      {},
      h(
        'span',
        { class: 'row-time' },
        readStartedAt === undefined ? snapshot.id : clockTime(readStartedAt, isExact),
        hub !== undefined && h('span', { class: 'line muted small' }, hub),
      ),
      h('span', { class: 'row-figure' }, sizeOf(counts)),
      h(
        'span',
        { class: 'row-badges' },
        healthBadge(snapshot),
        proof ? badge('ok', 'proven') : null,
        pinned ? badge('info', 'pinned') : null,
      ),
    ),
    h('div', { class: 'row-body' }, snapshotFacts(snapshot), snapshotActions(snapshot)),
  );
}

/**
 * In the unit that people know best; the facts below have all of them.
 * @param {Snapshot['counts']} counts
 */
function sizeOf(counts) {
  if (counts === undefined) return '';
  return counts.devices === undefined ? plural(counts.records, 'record') : plural(counts.devices, 'device');
}

/** @param {Snapshot} snapshot */
export function healthBadge({ health, undone }) {
  if (undone) return badge('warn', 'undone');
  switch (health) {
    case 'good':
      return badge('ok', 'good');
    case 'suspect':
      return badge('warn', 'suspect');
    default:
      return badge('bad', 'unusable');
  }
}

/** @param {Snapshot} snapshot */
function snapshotFacts({ id, hub, undone, counts, amount, healthReasons = [], error, proof, churn, coverage, bytes }) {
  return [
    undone && undoneNotice(),
    healthReasons.length > 0 && notice('warn', h('p', {}, `Suspect: ${healthReasons.join('; ')}`)),
    error !== undefined && notice('bad', h('p', {}, onThisPage(error.message))),
    facts([
      ['Holds', amount],
      ['Registrations by platform', counts?.byPlatform === undefined ? undefined : platformList(counts)],
      [
        'Since the previous one',
        churn
          ? `${number(churn.added)} added, ${number(churn.removed)} removed, ${number(churn.changed)} changed`
          : undefined,
      ],
      [
        'Seen since the switch',
        coverage
          ? `${coverage.rewritten ? 'at least ' : ''}${number(coverage.registered)} of ${plural(coverage.total, 'record')} (${share(coverage.percent, coverage.registered)})`
          : undefined,
      ],
      [
        'Proof',
        proof === undefined
          ? undefined
          : proof === null
            ? 'none yet'
            : `${proofWords[proof.how] ?? proof.how}, ${moment(proof.at)}`,
      ],
      ['Stored', bytes === undefined ? undefined : size(bytes)],
      ['Hub', hub === undefined ? undefined : hubName(hub)],
      ['Id', h('code', {}, id)],
    ]),
  ];
}

export function undoneNotice() {
  const text = 'Read between a restore and its rollback: it holds devices that were taken back.';
  return notice('warn', h('p', {}, text));
}

/** @type {Record<string, string>} */
export const proofWords = {
  verified: 'every byte verified',
  drill: 'restored in a drill',
  restore: 'restored',
  sync: 'synced',
};

/** @param {import('../api-types.d.ts').SnapshotCounts} counts */
function platformList({ byPlatform = {}, registrations }) {
  const entries = Object.entries(byPlatform).sort((a, b) => b[1] - a[1]);
  return h(
    'ul',
    { class: 'inline' },
    entries.map(([platform, count]) => h('li', {}, `${platform} ${number(count)}`)),
    registrations !== undefined && h('li', { class: 'muted' }, `${number(registrations)} in total`),
  );
}

/** @param {Snapshot} snapshot */
function snapshotActions({ id, health, pinned }) {
  // An older app sends no `pinned` and has neither of these routes.
  const hasPins = pinned !== undefined;
  return h(
    'div',
    { class: 'actions' },
    health !== 'unusable' &&
      h('a', { class: 'button', href: `#/restore?snapshot=${encodeURIComponent(id)}` }, 'Restore this one …'),
    hasPins &&
      actionButton(pinned ? 'Unpin' : 'Pin', () => setPin(id, !pinned), {
        busy: pinned ? 'Unpinning …' : 'Pinning …',
        failed: 'The pin was not changed.',
      }),
    hasPins && verifyButton(id, 'Verify'),
    health === 'suspect' && actionButton('Accept …', async () => askToAccept(id), { focus: 'accept' }),
  );
}

/** @param {string} id */
function askToAccept(id) {
  askFirst({
    title: 'Are these devices gone for good?',
    body: h(
      'p',
      {},
      'Then what this snapshot holds is usual from now on. Back up after that: the backup will be good.',
    ),
    yes: 'Accept it',
    no: 'Leave it suspect',
    busy: 'Accepting it …',
    failed: 'The snapshot was not accepted.',
    work: async () => {
      await call(`snapshots/${encodeURIComponent(id)}/accept`, { method: 'POST' });
      announce('Accepted. Back up now.');
      wake();
    },
  });
}

/**
 * @param {string} id
 * @param {boolean} isPinned
 */
async function setPin(id, isPinned) {
  await call(`snapshots/${encodeURIComponent(id)}/pin`, { method: isPinned ? 'PUT' : 'DELETE' });
  announce(isPinned ? 'Pinned: it is never deleted automatically.' : 'No longer pinned.');
  wake();
}
