import type { RejectReason } from '../../core/ports.ts';

/** What was asked of the hub; the same status means different things to different calls. */
export type Operation =
  | 'list'
  | 'listOn'
  | 'putRegistration'
  | 'updateRegistration'
  | 'findRegistration'
  | 'findByTag'
  | 'deleteRegistration'
  | 'putInstallation'
  | 'patchInstallation'
  | 'deleteInstallation'
  | 'newRegistrationId'
  | 'jobs'
  | 'findMessage'
  | 'feature';

/** What an answer means for the caller ("Hostile service" in the design; service-facts section 3). */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'throttled' | 'transient'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'tokenLost' | 'idRefused' | 'gone' | 'stale' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason }
  /** With the right that the answer says is missing, if it does. */
  | { readonly kind: 'unauthorized' | 'forbidden'; readonly right?: Right | undefined }
  /** 403 without a word: the key may have no right to it, the hub may throttle, or its namespace may be full. */
  | { readonly kind: 'unexplained' }
  /** The hub was made with an older API version than the call's, and names the one to use. */
  | { readonly kind: 'olderVersion'; readonly version: string }
  | { readonly kind: 'quotaExceeded' | 'notFound' | 'unexpected' };

/** What an access policy may allow. */
export type Right = 'Manage' | 'Send' | 'Listen';

export interface AnswerHead {
  readonly status: number;
  /** The header, if there is one. */
  readonly retryAfter: string | undefined;
  /** The body, as far as `isTextNeeded`. */
  readonly detail: string;
}

const OK: Verdict = { kind: 'ok' };

/** Whether the status alone leaves open what is meant. */
export function isTextNeeded(status: number): boolean {
  return status === 400 || status === 401 || status === 403;
}

/** The one place where answers get their meaning. */
export function judgeAnswer(operation: Operation, answer: AnswerHead, nowMs: number): Verdict {
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return OK;
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  switch (status) {
    case 401:
      return { kind: 'unauthorized', right: rightIn(answer.detail) };
    case 403:
      // Older API versions throttle with 403.
      if (retryAfter !== undefined) return { kind: 'throttled', retryAfterMs };
      return judgeForbidden(operation, answer.detail.trim());
    case 409:
    // "Request rate too high" on registration writes; nothing else this app does can conflict.
    case 429:
      return { kind: 'throttled', retryAfterMs };
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
      return { kind: 'transient', retryAfterMs };
    default:
      return olderVersion(answer) ?? judgeRefusal(operation, status);
  }
}

/** Writes that may need room for another device. */
const mayNeedRoom: ReadonlySet<Operation> = new Set([
  'putRegistration',
  'updateRegistration',
  'putInstallation',
  'newRegistrationId',
]);

/** Without `Retry-After`. A quota that refuses a call which needs no room is one of calls. */
function judgeForbidden(operation: Operation, detail: string): Verdict {
  const throttled = { kind: 'throttled', retryAfterMs: undefined } as const;
  if (RATE.test(detail)) return throttled;
  const right = rightIn(detail);
  if (operation === 'feature' || right !== undefined) return { kind: 'forbidden', right };
  if (detail === '') return { kind: 'unexplained' };
  if (mayNeedRoom.has(operation)) return { kind: QUOTA.test(detail) ? 'quotaExceeded' : 'forbidden' };
  return CALL_QUOTA.test(detail) ? throttled : { kind: 'forbidden' };
}

// No answer about a rate or a quota was ever recorded: these are the words of the documentation, and of users.
const RATE =
  /\brate\b|throttl|too many (?:requests|calls|operations)|number of (?:requests|calls|operations)|server busy/i;
const QUOTA = /quota|limit|exceed|maximum|too many|devices/i;
const CALL_QUOTA = /quota|exceeded/i;

/** Recorded: "Manage claim is required for this operation." */
function rightIn(detail: string): Right | undefined {
  if (!/\b(?:claim|right|permission)s?\b/i.test(detail)) return undefined;
  return (['Manage', 'Send', 'Listen'] as const).find((right) => new RegExp(`\\b${right}\\b`, 'i').test(detail));
}

/** Reported: "Either re-create the notification hub or use an older API version, 2017-11, to access it." */
function olderVersion({ status, detail }: AnswerHead): Verdict | undefined {
  if (status !== 400 || !/\bAPI.version\b/i.test(detail)) return undefined;
  const version = /\b20\d\d-\d\d(?:-\d\d)?\b/.exec(detail)?.[0];
  return version === undefined ? undefined : { kind: 'olderVersion', version };
}

/** They name something that need not be there. */
const mayBeGone: ReadonlySet<Operation> = new Set([
  'deleteRegistration',
  'deleteInstallation',
  'patchInstallation',
  'updateRegistration',
  'findRegistration',
  'findMessage',
]);

const mayBeRejected: ReadonlySet<Operation> = new Set([
  'putRegistration',
  'updateRegistration',
  'putInstallation',
  'patchInstallation',
]);

function judgeRefusal(operation: Operation, status: number): Verdict {
  const isAboutName = status === 400 || status === 404 || status === 410;
  // A hub that is not there is found by the calls that name nothing but the hub.
  if (operation === 'listOn' && isAboutName) return { kind: 'tokenLost' };
  if (operation === 'putRegistration' && isAboutName) return { kind: 'idRefused' };
  if (mayBeGone.has(operation) && (status === 404 || status === 410)) return { kind: 'gone' };
  if ((operation === 'deleteRegistration' || operation === 'updateRegistration') && status === 412)
    return { kind: 'stale' };
  if (status === 404) return { kind: 'notFound' };
  if (!mayBeRejected.has(operation) || status < 400 || status > 499) return { kind: 'unexpected' };
  if (status === 413) return { kind: 'rejected', reason: 'TooLarge' };
  if (status === 412) return { kind: 'rejected', reason: 'Stale' };
  return { kind: 'rejected', reason: 'Rejected' };
}

/** A named time longer than this would outlast any step. */
const LONGEST_WAIT_MS = 600_000;

/** `Retry-After` as seconds or HTTP date (RFC 9110, 10.2.3), in milliseconds from now. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : parseDate(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), LONGEST_WAIT_MS);
}

/** Only what looks like an HTTP date: `Date.parse` takes `-1` for a year. */
function parseDate(text: string): number {
  return /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
}
