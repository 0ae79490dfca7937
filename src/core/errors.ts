/**
 * The closed list of error codes this app answers with, in HTTP bodies, run documents and logs.
 * docs/REFERENCE.md lists each with what to do; a test holds the two together.
 */
export const errorCodes = [
  'AlreadyInUse',
  'BadRequest',
  'BodyNotReceived',
  'ConfirmationMissing',
  'HubForbidden',
  'HubMisbehaves',
  'HubNotFound',
  'HubUnavailable',
  'HubUnauthorized',
  'Internal',
  'ListingUnstable',
  'NewerRunExists',
  'NoGoodSnapshot',
  'NothingToRetry',
  'NothingToRollBack',
  'QuotaExceeded',
  'RestoreIncomplete',
  'RoleContradicted',
  'RunIdInUse',
  'RunInProgress',
  'RunNotFound',
  'RunNotOver',
  'RunStuck',
  'RunTakenOver',
  'RunOfOlderVersion',
  'TargetAltersRecords',
  'SettingsInvalid',
  'SnapshotCorrupt',
  'SnapshotKept',
  'SnapshotNotFound',
  'SnapshotOlderThanRole',
  'SnapshotVersionUnknown',
  'StorageArchived',
  'StorageUnavailable',
  'StoredDocumentInvalid',
  'Superseded',
  'SyncStopped',
  'TargetIsSource',
  'TargetTooSmall',
  'TooManyFailures',
  'UnknownField',
  'WrongTarget',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface DrErrorOptions {
  /** What the error is about: a setting, a field, a blob, a run id. Never a secret. */
  readonly target?: string | undefined;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** How long a caller should wait before it tries again. */
  readonly retryAfterMs?: number | undefined;
  /** What a service that is not available was last seen to do: a status, or the code of a network fault. */
  readonly seen?: string | undefined;
  /** True when what was asked for was not carried out, and will not be. */
  readonly hasNoEffect?: boolean;
  readonly details?: readonly ErrorDetail[];
  readonly cause?: unknown;
}

export interface ErrorDetail {
  readonly code: ErrorCode;
  readonly message: string;
  readonly target?: string | undefined;
}

/** An error whose code is contract. The message says what was attempted, what came back and what to do next. */
export class DrError extends Error {
  override readonly name = 'DrError';
  readonly code: ErrorCode;
  readonly target: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly seen: string | undefined;
  readonly hasNoEffect: boolean;
  readonly details: readonly ErrorDetail[];

  constructor(code: ErrorCode, message: string, options: DrErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.target = options.target;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.seen = options.seen;
    this.hasNoEffect = options.hasNoEffect ?? false;
    this.details = options.details ?? [];
  }
}

/**
 * A hub does not serve the call about one registration or installation, or about a row of its listing, while it serves
 * others. Retryable when it may yet: it failed, and did not refuse.
 */
export class RecordFault extends DrError {
  /** Of the last answer, where there was one. */
  readonly status: number | undefined;
  /** What the hub said of it, without what may be the record's own. */
  readonly words: string | undefined;
  /** Of late the hub has carried out the same of other records. */
  readonly isSure: boolean;
  /** It did not answer, and carried out others meanwhile. */
  readonly isSilent: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: DrErrorOptions & Partial<Pick<RecordFault, 'status' | 'words' | 'isSure' | 'isSilent'>>,
  ) {
    super(code, message, options);
    this.status = options.status;
    this.words = options.words;
    this.isSure = options.isSure ?? true;
    this.isSilent = options.isSilent ?? false;
  }
}

/** What the work gives, or the error that trying again does not change; any other is thrown. */
export async function orFault<T>(work: Promise<T>): Promise<T | DrError> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DrError) || error.retryable) throw error;
    return error;
  }
}

/** What to do about a blob in the archive tier. */
export const ARCHIVED_ADVICE =
  "It is in the archive tier: set the tier to Hot, which takes up to 15 hours, and exclude the container from the account's lifecycle rules.";

/** The code of a network fault (`ECONNREFUSED`, `UND_ERR_SOCKET`, ...), never its text, which may hold addresses. */
export function faultCode(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown fault';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
