import { announce, h } from './dom.js';
import { hubName, onSubmit } from './widgets.js';

/**
 * Asks for confirmation before an action. Escape and the second button cancel it; when it fails the dialog keeps its
 * input.
 * @param {object} question
 * @param {string} question.title
 * @param {import('./dom.js').Child} question.body
 * @param {string} question.yes
 * @param {string} question.no
 * @param {string} question.busy Of the button while it works.
 * @param {string} question.failed
 * @param {HubNameField} [question.nameField] Must match the hub's name.
 * @param {() => Promise<unknown>} question.work
 */
export function askFirst({ title, body, yes, no, busy, failed, nameField, work }) {
  const place = h('div');
  const yesButton = h('button', { type: 'submit', class: 'danger' }, yes);
  /** @type {HTMLDialogElement} */
  const dialog = h('dialog', { 'aria-labelledby': 'question-title', 'aria-describedby': 'question-body' });
  const form = h(
    'form',
    { novalidate: true },
    h('h2', { id: 'question-title' }, title),
    h('div', { id: 'question-body' }, body),
    nameField?.element,
    place,
    h('div', { class: 'actions' }, yesButton, h('button', { type: 'button', onclick: () => dialog.close() }, no)),
  );
  dialog.append(form);
  nameField?.guard(yesButton);
  onSubmit(form, yesButton, place, {
    isValid: nameField?.check,
    work: async () => {
      await work();
      dialog.close();
    },
    busy,
    failed,
  });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @typedef {object} HubNameField
 * @property {HTMLElement} element
 * @property {() => string} value
 * @property {() => boolean} check Whether the name matches. If not, it shows the problem and focuses the field.
 * @property {(button: HTMLButtonElement) => void} guard Keeps the button disabled until the name matches.
 */

/**
 * The typed name of the target hub, namespace included: the last guard against writing to the wrong hub.
 * @param {import('../api-types.d.ts').HubRef} target
 * @param {string} id Unique on the page.
 * @returns {HubNameField}
 */
export function hubNameField(target, id) {
  const name = hubName(target);
  const input = h('input', {
    id,
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-describedby': `${id}-problem ${id}-help`,
  });
  const problem = h('p', { class: 'problem-text', id: `${id}-problem`, role: 'alert' });
  const isRight = () => input.value.trim().toLowerCase() === name.toLowerCase();
  const clear = () => {
    problem.textContent = '';
    input.removeAttribute('aria-invalid');
  };
  const check = () => {
    clear();
    if (isRight()) return true;
    problem.textContent = input.value.trim() === '' ? `Type ${name}.` : `That is not the hub’s name. Type ${name}.`;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    return false;
  };
  // A disabled button takes no Enter, which would then do nothing and say nothing.
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !check()) event.preventDefault();
  });
  input.addEventListener('input', () => isRight() && clear());
  return {
    element: h(
      'div',
      { class: 'field' },
      h('label', { for: id }, 'Type the hub’s name to confirm: ', h('strong', { class: 'name' }, name)),
      input,
      h('p', { class: 'muted small', id: `${id}-help` }, 'The button works once the name fits.'),
      problem,
    ),
    value: () => input.value.trim(),
    check,
    guard(button) {
      button.disabled = true;
      input.addEventListener('input', () => {
        const wasDisabled = button.disabled;
        button.disabled = !isRight();
        if (wasDisabled && !button.disabled)
          announce(`The name fits. Press Enter, or the button “${button.textContent}”.`);
      });
    },
  };
}
