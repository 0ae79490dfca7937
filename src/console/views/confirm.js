import { startRestore } from '../app/start-restore.js';
import { hubNameField } from '../parts/dialogs.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { hubName, onSubmit } from '../parts/widgets.js';
import { forgetDraft } from './choose-options.js';

/**
 * After a dry run: the hub's name and the button that restores exactly what the dry run compared.
 * @param {import('../api-types.d.ts').Restore} dryRun
 */
export function confirmForm(dryRun) {
  const { snapshot, target, counts, only, order, note } = dryRun;
  const field = hubNameField(target, 'confirm-name');
  const place = h('div');
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
    field.element,
    place,
    h('div', { class: 'actions' }, button, h('a', { class: 'button', href: '#/restore' }, 'Choose again')),
  );
  onSubmit(form, button, place, {
    isValid: field.check,
    work: async () => {
      const body = { snapshot: snapshot.id, target: target.role, confirm: field.value(), only, order, note };
      const run = await startRestore(body);
      forgetDraft();
      location.hash = `#/restores/${encodeURIComponent(run.id)}`;
    },
    failed: 'The restore was not started.',
  });
  return form;
}
