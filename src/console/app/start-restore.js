import { ApiError, call } from './api.js';

/**
 * Ids of start requests that got no answer, by their body. Repeating a request under its id finds the run it may have
 * started instead of starting a second one.
 * @type {Map<string, string>}
 */
const unanswered = new Map();

/**
 * @param {Record<string, unknown>} body As `POST /api/restores` takes it.
 * @returns {Promise<import('../api-types.d.ts').Restore>}
 */
export async function startRestore(body) {
  const text = JSON.stringify(body);
  const id = unanswered.get(text) ?? newId();
  unanswered.set(text, id);
  try {
    const run = await call(`restores/${id}`, { method: 'PUT', body });
    unanswered.delete(text);
    return run;
  } catch (error) {
    if (error instanceof ApiError && error.code !== 'NoAnswer') unanswered.delete(text);
    throw error;
  }
}

/** In the format of the app's own ids, which sort by time. */
function newId() {
  const suffix = [...crypto.getRandomValues(new Uint8Array(3))].map((byte) => byte.toString(16).padStart(2, '0'));
  return `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}Z-${suffix.join('')}`;
}
