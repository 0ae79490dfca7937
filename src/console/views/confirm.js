import { call } from '../app/api.js';
import { startRestore } from '../app/start-restore.js';
import { hubNameField } from '../parts/dialogs.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { isSame } from '../parts/roles.js';
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
  warnIfInUse(role, target);
  const toWrite = (counts.created ?? 0) + (counts.updated ?? 0);
  const button = h(
    'button',
    { type: 'submit', class: 'main' },
    `Restore ${plural(toWrite, 'device')} into ${hubName(target)}`,
  );
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
    role,
    field.element,
    place,
    h('div', { class: 'actions' }, button, h('a', { class: 'button', href: '#/restore' }, 'Choose again')),
  );
  onSubmit(form, button, place, {
    isValid: field.check,
    work: async () => {
      const body = { snapshot: snapshot.id, target: target.role, confirm: field.value(), activate, only, order, note };
      const run = await startRestore(body);
      forgetDraft();
      location.hash = `#/restores/${encodeURIComponent(run.id)}`;
    },
    failed: 'The restore was not started.',
  });
  return form;
}

/**
 * @param {HTMLElement} place
 * @param {import('../api-types.d.ts').HubRef} target
 */
function warnIfInUse(place, target) {
  call('role')
    .then((/** @type {import('../api-types.d.ts').Role} */ { active }) => {
      if (isSame(active, target)) place.replaceChildren(notice('warn', h('p', {}, 'This is the hub in use.')));
    })
    .catch(() => {
      // Best effort: the API itself asks for the name of the hub in use.
    });
}
