import type { AccessToken, TokenCredential } from '@azure/identity';
import { within } from './time-limit.ts';

/** Tokens of one managed identity, by scope, kept in memory until they end. */
export interface Tokens {
  /** Throws an error of `@azure/identity`, or `AuthenticationLateError`, within `tokenTimeoutMs`. */
  get(scope: string): Promise<string>;
  /** The service did not accept the last one: the next is asked for. */
  forget(scope: string): void;
}

export interface TokenOptions {
  /** Of a user-assigned identity; the system-assigned one when absent. */
  readonly clientId?: string | undefined;
  readonly tokenTimeoutMs?: number;
  /** After this time a question that is not answered is asked again. */
  readonly patienceMs?: number;
  readonly open?: (clientId: string | undefined) => Promise<TokenCredential>;
}

/**
 * The identity package ignores the abort signal that it is given, and tries for 17 to 45 seconds (measured). Storage
 * and Resource Manager calls count this into their own limits.
 */
const TOKEN_TIMEOUT_MS = 10_000;
/** The package gives a token from its own cache until five minutes before the end. */
const RENEW_MS = 4 * 60_000;
/** A token in use this short before its end might end on the way. */
const LAST_USE_MS = 30_000;
const ASK_AGAIN_MS = 15_000;
/** The package's own tries have ended by then; a connection that hangs would be waited for without end. */
const PATIENCE_MS = 60_000;

interface Held {
  token: AccessToken | undefined;
  asking: Promise<AccessToken> | undefined;
  askedAt: number;
}

/**
 * One question at a time for each scope. An answer that comes too late for those who asked serves those who ask next,
 * and a token that has not ended is used while no new one can be had.
 */
export function createTokens(options: TokenOptions): Tokens {
  const { clientId, tokenTimeoutMs = TOKEN_TIMEOUT_MS, patienceMs = PATIENCE_MS, open = openManagedIdentity } = options;
  const held = new Map<string, Held>();
  let credential: Promise<TokenCredential> | undefined;
  const ask = (scope: string, one: Held): Promise<AccessToken> => {
    credential ??= open(clientId);
    one.askedAt = Date.now();
    const asking: Promise<AccessToken> = credential
      .then((identity) => identity.getToken(scope))
      .then((token) => {
        if (token === null) throw new AuthenticationLateError();
        one.token = token;
        return token;
      })
      .finally(() => {
        if (one.asking === asking) one.asking = undefined;
      });
    // It may end when all who asked have left.
    asking.catch(() => {});
    one.asking = asking;
    return asking;
  };
  return {
    async get(scope) {
      const one = held.get(scope) ?? { token: undefined, asking: undefined, askedAt: 0 };
      held.set(scope, one);
      const { token } = one;
      const leftMs = (token?.expiresOnTimestamp ?? 0) - Date.now();
      if (token !== undefined && leftMs > LAST_USE_MS) {
        const isDue = leftMs < RENEW_MS && one.asking === undefined && Date.now() - one.askedAt > ASK_AGAIN_MS;
        if (isDue) void ask(scope, one).catch(() => {});
        return token.token;
      }
      const isAsking = one.asking !== undefined && Date.now() - one.askedAt < patienceMs;
      const asking = (isAsking ? one.asking : undefined) ?? ask(scope, one);
      return (await inTime(tokenTimeoutMs, asking)).token;
    },
    forget: (scope) => void held.delete(scope),
  };
}

async function inTime<T>(limitMs: number, asking: Promise<T>): Promise<T> {
  try {
    return await within(limitMs, () => asking);
  } catch (error) {
    throw error instanceof DOMException ? new AuthenticationLateError() : error;
  }
}

/** No word of it makes the storage package try the call again: it has waited long enough. */
export class AuthenticationLateError extends Error {
  override readonly name = 'AuthenticationLateError';

  constructor() {
    super('The identity endpoint gave no token in time.');
  }
}

/**
 * Not the default credential of the package, which takes `AZURE_CLIENT_ID` for the identity that is meant where none is
 * named. Loaded only when used: the package costs hundreds of milliseconds of a cold start.
 */
async function openManagedIdentity(clientId: string | undefined): Promise<TokenCredential> {
  const { ManagedIdentityCredential } = await import('@azure/identity');
  return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
}
