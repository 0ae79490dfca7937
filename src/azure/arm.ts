import { DrError, type ErrorCode, faultCode } from '../core/errors.ts';
import { within } from './time-limit.ts';
import type { Tokens } from './tokens.ts';

/** Calls to Azure Resource Manager, which answers in JSON. */
export interface Arm {
  /** `what` is what the call is for, as messages name it: `the keys of hub a/b`. Throws a `DrError`. */
  call(method: 'GET' | 'POST', path: string, what: string): Promise<unknown>;
}

export interface ArmOptions {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly tokens: Tokens;
  readonly callTimeoutMs?: number;
}

/** A whole call, token included, ends after this. It is made once: callers know how long they can try. */
export const ARM_CALL_TIMEOUT_MS = 10_000;

/** The first that knows credentials for FCM v1; the stable one of that year does not. */
const API_VERSION = '2023-10-01-preview';

/** Plain calls: the vendor's package speaks an older version, and drops what that does not know. */
export function createArm({ endpoint, tokens, callTimeoutMs = ARM_CALL_TIMEOUT_MS }: ArmOptions): Arm {
  const root = endpoint.replace(/\/+$/, '');
  const scope = `${root}/.default`;
  const send = async (method: string, path: string, signal: AbortSignal): Promise<Response> => {
    const authorization = `Bearer ${await tokens.get(scope)}`;
    const url = `${root}${path}?api-version=${API_VERSION}`;
    return fetch(url, { method, headers: { authorization }, redirect: 'error', signal });
  };
  const call = async (method: string, path: string, what: string, signal: AbortSignal): Promise<unknown> => {
    let answer = await send(method, path, signal);
    if (answer.status === 401) {
      await answer.body?.cancel();
      tokens.forget(scope);
      answer = await send(method, path, signal);
    }
    if (answer.ok) return answer.json();
    await answer.body?.cancel();
    throw refusal(what, answer.status);
  };
  return {
    async call(method, path, what) {
      try {
        return await within(callTimeoutMs, (signal) => call(method, path, what, signal));
      } catch (error) {
        throw error instanceof DrError ? error : away(what, seenOf(error));
      }
    },
  };
}

const ARM = 'Azure Resource Manager';

/** Nothing of an answer is quoted but its status: it may hold keys. */
function refusal(what: string, status: number): DrError {
  const refuse = (code: ErrorCode, advice: string) =>
    new DrError(code, `${ARM} does not give ${what} (${status}). ${advice}`, { target: what, hasNoEffect: true });
  switch (status) {
    case 401:
      return away(what, `${ARM} does not accept the identity's token`, TOKEN_ADVICE);
    case 403:
      return refuse('HubForbidden', "Give the app's identity the role for it at the hub; a new role takes minutes.");
    case 404:
      return refuse('HubNotFound', 'Check the resource id in the settings, and that the policy it names exists.');
    case 400:
      return refuse('HubMisbehaves', 'Check ARM_ENDPOINT and the resource id in the settings.');
    default:
      return away(what, `status ${status} of ${ARM}`);
  }
}

/** The identity package keeps a token until it ends, also one that was refused: findings/identity-gives-a-refused-token-again.sh */
const TOKEN_ADVICE =
  " If that lasts: restart the app, which takes a new one; or put the hub's connection string into the settings, beside its resource id.";

function away(what: string, seen: string, advice = ''): DrError {
  const message = `${ARM} did not give ${what} in time; last seen: ${seen}.${advice}`;
  return new DrError('HubUnavailable', message, { target: what, retryable: true, hasNoEffect: true, seen });
}

function seenOf(error: unknown): string {
  if (error instanceof Error && /Authentication|Credential/.test(error.name)) return 'no token of the identity';
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer of ${ARM} in time`;
  return faultCode(error instanceof TypeError && error.cause !== undefined ? error.cause : error);
}
