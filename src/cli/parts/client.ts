import { keyCommand } from './connection.ts';
import { Fault } from './errors.ts';
import { inCommands } from './in-commands.ts';
import { isObject, type Json, textAt } from './json.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The app's HTTP API. Throws a `Fault`. */
export interface Client {
  call(method: Method, path: string, body?: unknown): Promise<Json>;
  markdown(path: string): Promise<string>;
}

/** The Functions front end ends an HTTP call after 230 s. */
const ANSWER_TIMEOUT_MS = 230_000;

/** `name` is for the audit record of what a call changes; `interrupted` aborts calls in flight. */
export function createClient(url: string, key: string, name: string | undefined, interrupted: AbortSignal): Client {
  const exchange = async (method: Method, path: string, accept: string, body?: unknown) => {
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    const requestedBy = name === undefined ? {} : { 'x-requested-by': encodeURIComponent(name) };
    const headers = { accept, 'x-functions-key': key, ...requestedBy };
    // Following a redirect would send the key to its target.
    const init: RequestInit = { method, headers, redirect: 'manual', signal };
    if (body !== undefined) {
      init.headers = { ...headers, 'content-type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    try {
      const response = await fetch(`${url}${path}`, init);
      const text = await response.text();
      return { response, text, json: isJson(response) ? parseJson(text) : undefined };
    } catch (error) {
      if (interrupted.aborted) throw new Fault('interrupted', 'Interrupted.');
      throw error instanceof TypeError || signal.aborted ? toUnreachable(url, error) : error;
    }
  };
  return {
    async call(method, path, body) {
      const { response, json } = await exchange(method, path, 'application/json', body);
      // A readiness card with the verdict NotReady comes with status 503.
      if (isObject(json) && (response.ok || textAt(json, 'verdict') !== undefined)) return json;
      throw toFault(url, response, json);
    },
    async markdown(path) {
      const { response, text, json } = await exchange('GET', path, 'text/markdown');
      if (response.ok && !isJson(response)) return text;
      throw toFault(url, response, json);
    },
  };
}

function isJson(response: Response): boolean {
  return response.headers.get('content-type')?.includes('json') ?? false;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A truncated answer, or a proxy's: its status alone decides.
    return undefined;
  }
}

function toFault(url: string, { status, headers }: Response, json: unknown): Fault {
  const code = textAt(json, 'error', 'code');
  if (code !== undefined && headers.has('x-ms-error-code')) {
    const message = inCommands(textAt(json, 'error', 'message') ?? 'The app gave no reason.');
    return new Fault('refused', message, { code, status, target: textAt(json, 'error', 'target') });
  }
  if (status === 429 || status >= 500) {
    return new Fault('unreachable', `${url} answers ${status}.`, { isUnsent: [429, 503].includes(status) });
  }
  return new Fault('foreign', `${url} ${explain(url, status, headers)}`, { status });
}

function explain(url: string, status: number, headers: Headers): string {
  if (status === 401 || status === 403) {
    return `does not accept the key (${status}). Use a function key of this app: ${keyCommand}`;
  }
  if (status >= 300 && status < 400) {
    const location = URL.parse(headers.get('location') ?? '', url)?.origin ?? 'another address';
    return `redirects to ${location}. If that is the app, use that address.`;
  }
  return `answers ${status}, but not as notification-hubs-dr does. Check the address (without a path), and that the deployed version has this command.`;
}

/** Refused before anything was sent. Any other fault may have struck after the app had read the call. */
const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH']);

function toUnreachable(url: string, error: unknown): Fault {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = textAt(cause, 'code') ?? '';
  // Some faults have no code, and only their text says what it was: `bad port`.
  const why = code || (cause instanceof Error && (cause.message || cause.name)) || 'no answer';
  return new Fault('unreachable', `Nothing answers at ${url} (${why}).`, { isUnsent: unsentCodes.has(code) });
}
