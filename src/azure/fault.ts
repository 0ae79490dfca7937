import { DrError } from '../core/errors.ts';

/** What was attempted, for the message: `read`, `blob 'a/b.json'`. Blob names only hold hub names and run ids. */
export interface StorageAttempt {
  readonly service: 'blob' | 'queue';
  readonly action: string;
  readonly target: string;
}

/**
 * What a storage or identity SDK threw, as `StorageUnavailable`; any other error is returned unchanged. The
 * SDK's error holds the request with its SAS or token, so nothing of it but status and codes is kept, not even as cause.
 */
export function storageFault(error: unknown, attempt: StorageAttempt): unknown {
  const seen = read(error);
  if (seen === undefined) return error;
  const came = [
    seen.status === undefined ? undefined : `status ${seen.status}`,
    seen.code,
    seen.requestId === undefined ? undefined : `request id ${seen.requestId}`,
  ].filter((part) => part !== undefined);
  const { advice, retryable } = judge(seen, attempt.service);
  return new DrError(
    'StorageUnavailable',
    `Could not ${attempt.action} ${attempt.target}: ${came.join(', ') || seen.name}. ${advice}`,
    { target: attempt.target, retryable },
  );
}

/** The HTTP status of what an SDK threw, if it carries one. */
export function statusOf(error: unknown): number | undefined {
  return numberIn(error, 'statusCode');
}

/** The service's error code (`BlobAlreadyExists`) or the network's (`ECONNRESET`) of what an SDK threw. */
export function codeOf(error: unknown): string | undefined {
  return textIn(error, 'code') ?? textIn(fieldOf(error, 'details'), 'errorCode');
}

interface Seen {
  readonly name: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
}

function read(error: unknown): Seen | undefined {
  const name = textIn(error, 'name') ?? '';
  if (!isSdkError.test(name)) return undefined;
  return {
    name,
    status: statusOf(error),
    code: word(codeOf(error)),
    requestId: word(textIn(fieldOf(error, 'details'), 'x-ms-request-id')),
  };
}

/** `RestError` of storage, what an abort signal throws, and the family of `@azure/identity`. */
const isSdkError = /^(RestError|AbortError|TimeoutError|\w*Authentication\w*Error|CredentialUnavailableError)$/;
const isIdentityError = /Authentication|Credential/;

/** A code or an id is one word; anything longer may be prose that quotes a URL. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.-]{1,80}$/.test(text) ? text : undefined;
}

function judge(seen: Seen, service: 'blob' | 'queue'): { readonly advice: string; readonly retryable: boolean } {
  const { status } = seen;
  if (isIdentityError.test(seen.name)) {
    return { advice: identityAdvice, retryable: status === undefined || isTransient(status) };
  }
  if (status === 401 || status === 403) return { advice: refusalAdvice(seen.code, service), retryable: false };
  if (status === undefined || isTransient(status) || isPassing(seen.code)) {
    return { advice: 'The storage account did not answer as it should; trying again later may help.', retryable: true };
  }
  return { advice: 'The storage account refused the call; trying again will not help.', retryable: false };
}

/** Below 400 the answer was cut off. 404 reaches here only when a container or queue vanished just after it was made. */
function isTransient(status: number): boolean {
  return status < 400 || status === 404 || status === 408 || status === 429 || status >= 500;
}

/** A deleted container's or queue's name stays taken for half a minute and more; bytes may change on their way once. */
function isPassing(code: string | undefined): boolean {
  return code === 'ContainerBeingDeleted' || code === 'QueueBeingDeleted' || code === 'Md5Mismatch';
}

const identityAdvice =
  'No token could be had for the storage account: check that the app has the managed identity that ' +
  'SNAPSHOT_STORAGE__clientId names, or a system-assigned one when it is absent.';

function refusalAdvice(code: string | undefined, service: 'blob' | 'queue'): string {
  const role = service === 'blob' ? 'Storage Blob Data Contributor' : 'Storage Queue Data Contributor';
  switch (code) {
    case 'AuthenticationFailed':
    case 'InvalidAuthenticationInfo':
      return 'The key or SAS in SNAPSHOT_STORAGE is wrong, expired or was rotated: set the current one.';
    case 'AuthorizationPermissionMismatch':
      return `Give the app's identity the role '${role}' on the storage account, or the SAS the missing permission.`;
    case 'KeyBasedAuthenticationNotPermitted':
      return 'The account takes no keys: use SNAPSHOT_STORAGE__blobServiceUri and __queueServiceUri with an identity.';
    case 'AuthorizationFailure':
    case 'PublicAccessNotPermitted':
      return "Allow the app's network in the storage account's firewall, and check the key or SAS in SNAPSHOT_STORAGE.";
    default:
      return `Check the key in SNAPSHOT_STORAGE or the identity's role '${role}', and the account's firewall.`;
  }
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const field: unknown = Reflect.get(value, key);
  return field;
}

function textIn(value: unknown, key: string): string | undefined {
  const field = fieldOf(value, key);
  return typeof field === 'string' && field !== '' ? field : undefined;
}

function numberIn(value: unknown, key: string): number | undefined {
  const field = fieldOf(value, key);
  return typeof field === 'number' ? field : undefined;
}
