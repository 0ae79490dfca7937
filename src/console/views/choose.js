import { call } from '../app/api.js';
import { poll } from '../app/poll.js';
import { startRestore } from '../app/start-restore.js';
import { restoreAddress } from '../parts/addresses.js';
import { amountOf } from '../parts/amount.js';
import { distinguish } from '../parts/distinct-rows.js';
import { fill, h } from '../parts/dom.js';
import { ago, moment, plural } from '../parts/format.js';
import { predictionOf } from '../parts/predicted.js';
import { rolesOf } from '../parts/roles.js';
import { stepper } from '../parts/stepper.js';
import { hubName, notice, onSubmit, problem } from '../parts/widgets.js';
import { draft, options, platformBoxes, requestBody } from './choose-options.js';
import { healthBadge, undoneNotice } from './snapshots.js';

/**
 * @typedef {import('../api-types.d.ts').Snapshot} Snapshot
 * @typedef {import('../api-types.d.ts').Status} Status
 */

/**
 * The first step of a restore: choose the snapshot and the target hub.
 * @param {HTMLElement} view
 * @param {AbortSignal} signal
 */
export function showChoose(view, signal) {
  const place = h('div', {}, h('p', { class: 'muted' }, 'Loading snapshots …'));
  view.replaceChildren(h('h1', { tabindex: -1 }, 'Choose what to restore'), stepper(1), place);
  poll(async () => {
    const [status, { value }] = await Promise.all([
      /** @type {Promise<Status>} */ (call('status')),
      /** @type {Promise<{ value: Snapshot[] }>} */ (call('snapshots')),
    ]);
    const usable = value.filter((one) => one.health !== 'unusable');
    if (usable.length === 0) fill(place, notice('bad', h('p', {}, 'There is no snapshot to restore. Back up first.')));
    else place.replaceChildren(chooseForm(status, usable));
    return undefined;
  }, signal).catch((error) => fill(place, problem(error, 'The snapshots could not be read.')));
}

/**
 * @param {Status} status
 * @param {Snapshot[]} snapshots Newest first, at least one.
 */
function chooseForm(status, snapshots) {
  const latestId = status.latestGoodSnapshot?.id;
  const found = (/** @type {string} */ id) => snapshots.find((one) => one.id === (id === 'latest' ? latestId : id));
  if (found(draft.snapshot) === undefined)
    draft.snapshot = latestId === undefined ? (snapshots[0]?.id ?? '') : 'latest';
  const about = h('div', { 'aria-live': 'polite' });
  const takes = h('p', { class: 'muted small' });
  const platforms = h('div');
  const showChosen = () => {
    const chosen = found(draft.snapshot);
    fill(about, chosen && aboutSnapshot(chosen));
    fill(platforms, chosen && platformBoxes(chosen));
    fill(
      takes,
      `${predictionOf(status, chosen?.counts?.records ?? 0)} A dry run only compares, which takes less. You confirm before anything is written.`,
    );
  };
  const apart = distinguish(snapshots);
  const select = h(
    'select',
    { id: 'snapshot' },
    latestId !== undefined && h('option', { value: 'latest' }, latestText(found('latest'), apart)),
    snapshots
      .filter((one) => one.id !== latestId)
      .map((one) => h('option', { value: one.id }, optionText(one, apart(one)))),
  );
  select.value = draft.snapshot === latestId ? 'latest' : draft.snapshot;
  select.addEventListener('change', () => {
    draft.snapshot = select.value;
    showChosen();
  });
  showChosen();
  const button = h('button', { type: 'submit', class: 'main' }, 'Start the dry run');
  const failed = h('div');
  const form = h(
    'form',
    { class: 'card form', novalidate: true },
    h('div', { class: 'field' }, h('label', { for: 'snapshot' }, 'Snapshot'), select, about),
    targetChoice(status),
    options(platforms),
    failed,
    h('div', { class: 'actions' }, button, h('a', { class: 'button', href: '#/' }, 'Back')),
    takes,
  );
  onSubmit(form, button, failed, {
    work: () => startDryRun(status),
    busy: 'Starting the dry run …',
    failed: 'The dry run was not started.',
  });
  return form;
}

/** @param {Status} status */
async function startDryRun(status) {
  const { active, standby, activeName } = rolesOf(status);
  // Where the target is the snapshot's own hub, the API asks for this name; a person types it before the real restore.
  const confirm = hubName(draft.target === activeName ? active : standby);
  const run = await startRestore({ ...requestBody(draft), dryRun: true, confirm });
  location.hash = restoreAddress(run.id);
}

/**
 * @param {Snapshot | undefined} snapshot
 * @param {ReturnType<typeof distinguish>} apart
 */
function latestText(snapshot, apart) {
  if (snapshot?.readStartedAt === undefined) return 'Latest good';
  const { isExact, hub } = apart(snapshot);
  const of = hub === undefined ? '' : `, ${hub}`;
  return `Latest good: ${moment(snapshot.readStartedAt, isExact)}, ${ago(snapshot.readStartedAt)}${of}`;
}

/**
 * @param {Snapshot} snapshot
 * @param {ReturnType<ReturnType<typeof distinguish>>} apart
 */
function optionText(snapshot, { isExact }) {
  if (snapshot.readStartedAt === undefined) return snapshot.id;
  const { readStartedAt, counts, health, undone, hub } = snapshot;
  const state = undone ? 'undone' : health;
  return `${moment(readStartedAt, isExact)}, ${plural(counts?.records ?? 0, 'record')}, ${hubName(hub)}${state === 'good' ? '' : `, ${state}`}`;
}

/** @param {Snapshot} snapshot */
function aboutSnapshot(snapshot) {
  const { readStartedAt, healthReasons = [], proof } = snapshot;
  return [
    h(
      'p',
      { class: 'muted' },
      healthBadge(snapshot),
      ` Taken ${moment(readStartedAt ?? '')}. It holds ${amountOf(snapshot)}.`,
      proof === null && ' Not proven yet: the dry run reads every byte.',
    ),
    snapshot.undone && undoneNotice(),
    snapshot.health === 'suspect' && notice('warn', h('p', {}, `Suspect: ${healthReasons.join('; ')}`)),
  ];
}

/** @param {Status} status */
function targetChoice(status) {
  const { active, standby, activeName } = rolesOf(status);
  const standbyName = activeName === 'primary' ? 'secondary' : 'primary';
  if (draft.target !== activeName) draft.target = 'standby';
  const radio = (/** @type {string} */ role, /** @type {string} */ hub, /** @type {string} */ what) =>
    h(
      'label',
      { class: 'choice' },
      h('input', {
        type: 'radio',
        name: 'target',
        value: role,
        checked: draft.target === role,
        onchange: () => {
          draft.target = role;
        },
      }),
      h('span', {}, h('strong', { class: 'name' }, hub), h('span', { class: 'line muted' }, what)),
    );
  return h(
    'fieldset',
    {},
    h('legend', {}, 'Target hub'),
    radio('standby', hubName(standby), `the standby (${standbyName}): nothing sends to its devices`),
    radio(activeName, hubName(active), `the hub in use (${activeName}): puts back what is missing there`),
  );
}
