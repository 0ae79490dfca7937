import type { RejectReason } from '../core/ports.ts';

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
  | 'deleteInstallation'
  | 'newRegistrationId'
  | 'feature';

/** What an answer means for the caller ("Hostile service" in the design; service-facts section 3). */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'throttled' | 'transient'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'tokenLost' | 'idRefused' | 'gone' | 'stale' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason }
  | { readonly kind: 'unauthorized' | 'forbidden' | 'quotaExceeded' | 'notFound' | 'unexpected' };

export interface AnswerHead {
  readonly status: number;
  /** The header, if there is one. */
  readonly retryAfter: string | undefined;
  /** The body, which is read for a 403 only: nothing else there tells a full namespace from a missing right. */
  readonly detail: string;
}

const OK: Verdict = { kind: 'ok' };

/** The one place where statuses get their meaning. */
export function judgeAnswer(operation: Operation, answer: AnswerHead, nowMs: number): Verdict {
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return OK;
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  switch (status) {
    case 401:
      return { kind: 'unauthorized' };
    case 403:
      // Older API versions throttle with 403; only then does it carry Retry-After.
      if (retryAfter !== undefined) return { kind: 'throttled', retryAfterMs };
      return { kind: isQuota(answer.detail) ? 'quotaExceeded' : 'forbidden' };
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
      return judgeRefusal(operation, status);
  }
}

/** They name something that need not be there. */
const mayBeGone: ReadonlySet<Operation> = new Set([
  'deleteRegistration',
  'deleteInstallation',
  'updateRegistration',
  'findRegistration',
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
  const isWrite =
    operation === 'putRegistration' || operation === 'updateRegistration' || operation === 'putInstallation';
  if (!isWrite || status < 400 || status > 499) return { kind: 'unexpected' };
  if (status === 413) return { kind: 'rejected', reason: 'TooLarge' };
  if (status === 412) return { kind: 'rejected', reason: 'Stale' };
  return { kind: 'rejected', reason: 'Rejected' };
}

/** No quota answer was ever recorded: these are words of the tiers' limits. A missing right has an empty body. */
function isQuota(detail: string): boolean {
  return /quota|limit|exceed|maximum|devices/i.test(detail);
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
