import { byId } from '../parts/dom.js';

/**
 * Prompts for the function key, and for who asks. The view behind keeps its state and input.
 * @param {'missing' | 'refused'} why
 * @returns {Promise<{ key: string, name: string }>} `name` is empty where none was given
 */
export function askForKey(why) {
  const dialog = byId('key-dialog', HTMLDialogElement);
  const form = byId('key-form', HTMLFormElement);
  const input = byId('key', HTMLInputElement);
  const problem = byId('key-problem', HTMLElement);
  const say = (/** @type {string} */ text) => {
    problem.textContent = text;
    if (text === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  };
  const { promise, resolve } = Promise.withResolvers();
  const done = new AbortController();
  const { signal } = done;
  form.addEventListener(
    'submit',
    (event) => {
      event.preventDefault();
      const key = input.value.trim();
      if (!isHeaderValue(key)) {
        say(key === '' ? 'Paste or type the key.' : 'A key has no spaces or special characters. Copy it again.');
        input.focus();
        return;
      }
      done.abort();
      input.value = '';
      say('');
      dialog.close();
      byId('lock', HTMLElement).hidden = false;
      resolve({ key, name: byId('asker', HTMLInputElement).value.trim() });
    },
    { signal },
  );
  // Without a key there is nothing to show, so Escape does not close the dialog.
  dialog.addEventListener('cancel', (event) => event.preventDefault(), { signal });
  dialog.addEventListener('close', () => signal.aborted || dialog.showModal(), { signal });
  if (!dialog.open) dialog.showModal();
  say(why === 'refused' ? 'The function app does not accept this key. Try another.' : '');
  input.focus();
  return promise;
}

/** @param {string} text */
function isHeaderValue(text) {
  return /^[\x21-\x7e]+$/.test(text);
}
