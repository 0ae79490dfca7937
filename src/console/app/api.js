/** The HTTP API as the page uses it. The key is kept here, in the memory of the tab, and leaves it only as a header. */

/** The API's base address, derived from this file's own: it holds for any route prefix. */
const base = new URL('../../', import.meta.url);
const READ_TIMEOUT_MS = 20_000;
/** Starting a restore includes checks of the target hub. */
const WRITE_TIMEOUT_MS = 60_000;

let key = '';
/** Of who asks; empty where they did not say. */
let name = '';
/** @type {(why: 'missing' | 'refused') => Promise<{ key: string, name: string }>} */
let askForKey = async () => ({ key: '', name: '' });
/** @type {Promise<void> | undefined} */
let asking;

/** An error answer. `code` is the API's own error code. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {string[]} details
   */
  constructor(status, code, message, details = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** Whether a retry alone may succeed. What has no code of the API is not from the app: 403 is a stopped one. */
  get isTemporary() {
    return (
      this.status === 503 || (this.code === 'NoAnswer' && (this.status >= 500 || [403, 429].includes(this.status)))
    );
  }
}

/** No answer at all: the network or the app is down. */
export class ConnectionError extends Error {}

/**
 * @param {(why: 'missing' | 'refused') => Promise<{ key: string, name: string }>} ask Prompts for a key, and for who asks.
 */
export function useKeyFrom(ask) {
  askForKey = ask;
}

/**
 * Calls the API and returns the JSON of its answer. When the key is refused it prompts for another one and repeats the
 * call, so that no input is lost. A readiness card with status 503 is an answer, not an error.
 * @template T
 * @param {string} path Relative to the API (`restores`), or as an answer names it (`/api/restores`).
 * @param {{ method?: string, body?: object }} [options]
 * @returns {Promise<T>}
 */
export async function call(path, options = {}) {
  const response = await send(path, options);
  const text = await readBody(response);
  const body = parse(text);
  if (response.ok || (typeof body === 'object' && body !== null && 'verdict' in body)) return body;
  throw errorOf(response, body);
}

/**
 * Fetches a file with the key in the header and lets the browser save it.
 * @param {string} path
 * @param {string} name
 */
export async function download(path, name) {
  const response = await send(path, {});
  if (!response.ok) throw errorOf(response, parse(await readBody(response)));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {unknown} error
 * @returns {error is Error}
 */
export function isTemporary(error) {
  return error instanceof ConnectionError || (error instanceof ApiError && error.isTemporary);
}

/**
 * @param {string} path
 * @param {{ method?: string, body?: object }} options
 * @returns {Promise<Response>}
 */
async function send(path, { method = 'GET', body }) {
  for (;;) {
    if (key === '') await ask('missing');
    const used = key;
    const response = await fetchOnce(path, method, body);
    // 401 comes from the host: the call never reached the app, so repeating it is safe.
    if (response.status !== 401) return response;
    // Another call may have got a new key meanwhile.
    if (key === used) key = '';
    await ask('refused');
  }
}

/**
 * Concurrent calls share one prompt.
 * @param {'missing' | 'refused'} why
 */
function ask(why) {
  if (key !== '') return undefined;
  asking ??= askForKey(why)
    .then((given) => {
      ({ key, name } = given);
    })
    .finally(() => {
      asking = undefined;
    });
  return asking;
}

/**
 * @param {string} path
 * @param {string} method
 * @param {object | undefined} body
 */
async function fetchOnce(path, method, body) {
  try {
    return await fetch(new URL(path.replace(/^\/api\//, ''), base), {
      method,
      headers: {
        'x-functions-key': key,
        ...(name === '' ? {} : { 'x-requested-by': encodeURIComponent(name) }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(method === 'GET' ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS),
    });
  } catch (cause) {
    throw new ConnectionError('The app does not answer.', { cause });
  }
}

/** @param {Response} response */
async function readBody(response) {
  try {
    return await response.text();
  } catch (cause) {
    throw new ConnectionError('The answer was cut off.', { cause });
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not from the app: a gateway's page, or nothing.
  }
}

/**
 * @param {Response} response
 * @param {{ error?: { code?: string, message?: string, details?: { message?: string }[] } } | undefined} body
 */
function errorOf(response, body) {
  const error = body?.error;
  const details = (error?.details ?? []).map((detail) => detail.message ?? '').filter((text) => text !== '');
  return new ApiError(response.status, error?.code ?? 'NoAnswer', error?.message ?? silence(response.status), details);
}

/**
 * What an answer says that does not come from the app.
 * @param {number} status
 */
function silence(status) {
  if (status === 403) return 'The app is stopped, or does not let you in from here.';
  if (status >= 500) return `The app does not answer: what is before it says ${status}.`;
  return `The app answered with ${status} and gave no reason.`;
}
