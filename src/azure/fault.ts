import { ARCHIVED_ADVICE, DrError } from '../core/errors.ts';
import { fieldOf, textIn } from './fields.ts';

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
export function storageFault(error: unknown, { service, action, target }: StorageAttempt): unknown {
  const { name, status, ...shown } = read(error);
  if (!isSdkError.test(name)) return error;
  const code = word(shown.code);
  const requestId = word(shown.requestId);
  const came = [status !== undefined && `status ${status}`, code, requestId && `request id ${requestId}`]
    .filter(Boolean)
    .join(', ');
  const isArchived = code === 'BlobArchived' || code === 'BlobBeingRehydrated';
  const { advice, retryable } = isArchived
    ? { advice: ARCHIVED_ADVICE, retryable: false }
    : judge(name, status, code, service);
  const message = `Could not ${action} ${target}: ${came || name}. ${advice}`;
  const seen = code === undefined ? {} : { seen: code };
  return new DrError(isArchived ? 'StorageArchived' : 'StorageUnavailable', message, { target, retryable, ...seen });
}

/** The HTTP status of what an SDK threw, if it carries one. */
export function statusOf(error: unknown): number | undefined {
  return read(error).status;
}

/** The service's error code (`BlobAlreadyExists`) or the network's (`ECONNRESET`) of what an SDK threw. */
export function codeOf(error: unknown): string | undefined {
  return read(error).code;
}

/** What the answer asks to wait, in ms; `Retry-After` may also be a date, which no storage service sends. */
export function retryAfterOf(error: unknown): number | undefined {
  const headers = fieldOf(fieldOf(error, 'response'), 'headers');
  const get = fieldOf(headers, 'get');
  const text: unknown = typeof get === 'function' ? Reflect.apply(get, headers, ['retry-after']) : undefined;
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined;
}

function read(error: unknown) {
  const details = fieldOf(error, 'details');
  const status = fieldOf(error, 'statusCode');
  return {
    name: textIn(error, 'name') ?? '',
    status: typeof status === 'number' ? status : undefined,
    code: textIn(error, 'code') ?? textIn(details, 'errorCode'),
    requestId: textIn(details, 'x-ms-request-id'),
  };
}

/** `RestError` of storage, what an abort signal throws, and the family of `@azure/identity`. */
const isSdkError = /^(RestError|AbortError|TimeoutError|\w*Authentication\w*Error|CredentialUnavailableError)$/;
const isIdentityError = /Authentication|Credential/;

/** A code or an id is one word; anything longer may be prose that quotes a URL. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.-]{1,80}$/.test(text) ? text : undefined;
}

function judge(name: string, status: number | undefined, code: string | undefined, service: 'blob' | 'queue') {
  if (isIdentityError.test(name)) {
    return { advice: identityAdvice, retryable: status === undefined || isTransient(status) };
  }
  if (status === 401 || status === 403) return { advice: refusalAdvice(code, service), retryable: false };
  if (status === undefined || isTransient(status) || isPassing(code)) {
    return { advice: 'The storage account did not answer as it should; trying again later may help.', retryable: true };
  }
  return { advice: ruleAdvice(code), retryable: false };
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

/** Why it refuses, on rules of its own, those who have the right. */
function ruleAdvice(code: string | undefined): string {
  if (code?.startsWith('BlobImmutable')) {
    return 'An immutability policy or a legal hold keeps blobs of the container as they are, and the app has to change and remove its own: lift it, or name another container in SNAPSHOT_CONTAINER.';
  }
  if (code?.startsWith('Lease')) return 'Another holds a lease on it: break that lease (az storage blob lease break).';
  return 'The storage account refused the call; trying again will not help.';
}

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
