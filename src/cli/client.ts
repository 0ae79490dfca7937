import { ApiRefusal, Away, Interrupted, NotOurs, WrongUse } from './errors.ts';
import { isObject, objectAt, textAt } from './json.ts';

export interface CallOptions {
  readonly body?: unknown;
  readonly accept?: string;
}

export interface Answer {
  readonly status: number;
  /** Parsed when it is JSON, text otherwise. */
  readonly body: unknown;
}

/** The worker's HTTP API as this tool calls it. Throws `ApiRefusal`, `Away`, `NotOurs` or `Interrupted`. */
export interface Client {
  /** Base address without a trailing slash, for messages. */
  readonly url: string;
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, options?: CallOptions): Promise<Answer>;
}

/** The Functions front end gives up on an HTTP call after 230 s. */
const ANSWER_TIMEOUT_MS = 230_000;

/** `interrupted` ends calls in flight. */
export function createClient(url: string, key: string, interrupted: AbortSignal): Client {
  return {
    url,
    async call(method, path, { body, accept = 'application/json' } = {}) {
      const signal = AbortSignal.any([interrupted, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
      try {
        const response = await fetch(`${url}${path}`, {
          method,
          headers: {
            accept,
            'x-functions-key': key,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          // A redirect followed would hand the key to wherever it leads.
          redirect: 'manual',
          signal,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return judge(url, accept, response, await response.text());
      } catch (error) {
        if (interrupted.aborted) throw new Interrupted('Interrupted.');
        throw error instanceof TypeError || signal.aborted ? toAway(url, error) : error;
      }
    },
  };
}

/** Reads an address as people paste it: with or without a slash or `/api` at its end. Never quotes what may be a key. */
export function parseUrl(text: string): string {
  const form = 'the address of the Function App, such as https://my-dr-app.azurewebsites.net';
  if (!URL.canParse(text)) throw new WrongUse(`The address cannot be read as a URL. Give ${form}.`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new WrongUse(`The address must be ${form}.`);
  if (url.search !== '' || url.username !== '' || url.password !== '') {
    throw new WrongUse(`The address must not hold a key or password. Give ${form}, and the key apart.`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api$/, '');
}

/** True when the key would cross a network unencrypted. */
export function isClearText(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function judge(url: string, accept: string, response: Response, text: string): Answer {
  const { status } = response;
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = isJson ? parseJson(text) : text;
  // The readiness card answers 503 when it says NotReady: an answer all the same.
  const isWanted = accept === 'application/json' ? isObject(body) : typeof body === 'string';
  if ((response.ok && isWanted) || textAt(body, 'verdict') !== undefined) return { status, body };
  const { code, message } = objectAt(body, 'error');
  if (typeof code === 'string' && response.headers.has('x-ms-error-code')) {
    throw new ApiRefusal(
      status,
      code,
      typeof message === 'string' ? message : `The API answered ${status}.`,
      textAt(body, 'error', 'target'),
    );
  }
  if (status === 401 || status === 403) {
    throw new NotOurs(
      status,
      `${url} does not accept the key (${status}). Use a function key of this app: ` +
        'az functionapp keys list -g GROUP -n APP --query functionKeys.default -o tsv',
    );
  }
  if (status === 429 || status >= 500) throw new Away(`${url} answers ${status}`, status === 429 || status === 503);
  if (status >= 300 && status < 400) {
    const location = URL.parse(response.headers.get('location') ?? '', url)?.origin ?? 'another address';
    throw new NotOurs(status, `${url} redirects to ${location}. If that is the app, use that address.`);
  }
  throw new NotOurs(
    status,
    `${url} answers ${status}, and not as notification-hubs-dr does. Check the address (without a path), and that the app is deployed there in a version that knows this command.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Half an answer, or a proxy's: judged by its status alone.
    return text;
  }
}

/** Refused before anything was sent; other faults may have struck after the app had read the call. */
const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH']);

function toAway(url: string, error: unknown): Away {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = textAt(cause, 'code') ?? (cause instanceof Error ? cause.name : 'no answer');
  return new Away(`Nothing answers at ${url} (${code})`, unsentCodes.has(code));
}
