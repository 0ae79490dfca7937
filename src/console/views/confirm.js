import { call } from '../app/api.js';
import { startRestore } from '../app/start-restore.js';
import { restoreAddress } from '../parts/addresses.js';
import { hubNameField } from '../parts/dialogs.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { predictionOf } from '../parts/predicted.js';
import { isSame, rolesOf } from '../parts/roles.js';
import { hubName, notice, onSubmit } from '../parts/widgets.js';
import { forgetDraft } from './choose-options.js';

/**
 * After a dry run: the hub's name and the button that restores exactly what the dry run compared.
 * @param {import('../api-types.d.ts').Restore} dryRun
 */
export function confirmForm(dryRun) {
  const { snapshot, target, counts, only, order, note, activate } = dryRun;
  const field = hubNameField(target, 'confirm-name');
  const place = h('div');
  const role = h('div');
  const takes = h('p', {}, 'How long it takes is being looked up …');
  const toWrite = (counts.created ?? 0) + (counts.updated ?? 0);
  showCircumstances({ role, takes }, target, toWrite);
  const button = h('button', { type: 'submit', class: 'main' }, labelOf(dryRun, toWrite));
  const form = h(
    'form',
    { class: 'card form', novalidate: true, 'aria-labelledby': 'confirm-title' },
    h('h2', { id: 'confirm-title' }, 'Start the restore?'),
    h(
      'p',
      {},
      'This writes into ',
      h('strong', { class: 'name' }, hubName(target)),
      '. Devices that have registered there since are left alone. You can stop, repeat and roll back the restore.',
    ),
    activate &&
      h(
        'p',
        {},
        'When all that can be written is, ',
        h('strong', { class: 'name' }, hubName(target)),
        ' becomes the hub in use: backups follow it. Then point your back end at it.',
      ),
    takes,
    role,
    field.element,
    place,
    h('div', { class: 'actions' }, button, h('a', { class: 'button', href: '#/restore' }, 'Choose again')),
  );
  field.guard(button);
  onSubmit(form, button, place, {
    isValid: field.check,
    work: async () => {
      const body = { snapshot: snapshot.id, target: target.role, confirm: field.value(), activate, only, order, note };
      const run = await startRestore(body);
      forgetDraft();
      location.hash = restoreAddress(run.id);
    },
    busy: 'Starting the restore …',
    failed: 'The restore was not started.',
  });
  return form;
}

/**
 * @param {import('../api-types.d.ts').Restore} dryRun
 * @param {number} toWrite
 */
function labelOf({ target, activate, way }, toWrite) {
  const place = hubName(target);
  const verb = way === 'failback' ? 'Fail back' : 'Fail over';
  const records = plural(toWrite, 'record');
  if (activate) return toWrite === 0 ? `${verb} to ${place}` : `${verb}: restore ${records} into ${place}`;
  return toWrite === 0 ? `Restore into ${place}, though nothing is missing there` : `Restore ${records} into ${place}`;
}

/**
 * How long it takes, and whether the target is in use.
 * @param {{ role: HTMLElement, takes: HTMLElement }} places
 * @param {import('../api-types.d.ts').HubRef} target
 * @param {number} toWrite
 */
function showCircumstances({ role, takes }, target, toWrite) {
  call('status')
    .then((/** @type {import('../api-types.d.ts').Status} */ status) => {
      takes.textContent = predictionOf(status, toWrite);
      if (isSame(rolesOf(status).active, target))
        role.replaceChildren(notice('warn', h('p', {}, 'This is the hub in use.')));
    })
    .catch(() => {
      // Best effort: the API itself asks for the name of the hub in use.
      takes.textContent = 'How long it takes could not be looked up.';
    });
}
