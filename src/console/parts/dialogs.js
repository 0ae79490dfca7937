import { h } from './dom.js';
import { attempt } from './widgets.js';

/**
 * A question that must be answered before something is done. Escape and the second button leave all as it is; what was
 * typed stays when the work fails.
 * @param {object} question
 * @param {string} question.title
 * @param {import('./dom.js').Child} question.body
 * @param {string} question.yes
 * @param {string} question.no
 * @param {string} question.failed
 * @param {HubNameField} [question.hubName] Must hold the hub's name.
 * @param {() => Promise<unknown>} question.work
 */
export function askFirst({ title, body, yes, no, failed, hubName, work }) {
  const place = h('div');
  const yesButton = h('button', { type: 'submit', class: 'danger' }, yes);
  /** @type {HTMLDialogElement} */
  const dialog = h('dialog', { 'aria-labelledby': 'question-title', 'aria-describedby': 'question-body' });
  const form = h(
    'form',
    { novalidate: true },
    h('h2', { id: 'question-title' }, title),
    h('div', { id: 'question-body' }, body),
    hubName?.element,
    place,
    h('div', { class: 'actions' }, yesButton, h('button', { type: 'button', onclick: () => dialog.close() }, no)),
  );
  dialog.append(form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (hubName !== undefined && !hubName.check()) return;
    await attempt(
      yesButton,
      place,
      async () => {
        await work();
        dialog.close();
      },
      failed,
    );
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @typedef {object} HubNameField
 * @property {HTMLElement} element
 * @property {() => string} value
 * @property {() => boolean} check Whether the name is right; says so at the field, and goes there, when not.
 */

/**
 * The target hub's name, typed: the last thing between a tired person and the wrong hub.
 * @param {string} hub
 * @param {string} id Unique on the page.
 * @returns {HubNameField}
 */
export function hubNameField(hub, id) {
  const input = h('input', {
    id,
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-describedby': `${id}-problem`,
  });
  const says = h('p', { class: 'problem-text', id: `${id}-problem`, role: 'alert' });
  const isRight = () => input.value.trim().toLowerCase() === hub.toLowerCase();
  const clear = () => {
    says.textContent = '';
    input.removeAttribute('aria-invalid');
  };
  input.addEventListener('input', () => isRight() && clear());
  return {
    element: h(
      'div',
      { class: 'field' },
      h('label', { for: id }, 'Type the hub’s name to confirm: ', h('strong', { class: 'name' }, hub)),
      input,
      says,
    ),
    value: () => input.value.trim(),
    check() {
      clear();
      if (isRight()) return true;
      says.textContent = input.value.trim() === '' ? `Type ${hub}.` : `That is not the hub’s name. Type ${hub}.`;
      input.setAttribute('aria-invalid', 'true');
      input.focus();
      return false;
    },
  };
}
