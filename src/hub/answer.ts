import type { RejectReason } from '../core/ports.ts';

/** What was asked of the hub; the same status means different things to different calls. */
export type Operation = 'list' | 'listOn' | 'putRegistration' | 'putInstallation' | 'newRegistrationId' | 'feature';

/** What an answer means for the caller ("Hostile service" in the design; service-facts section 3). */
export type Verdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'transient'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'tokenLost' }
  | { readonly kind: 'idRefused' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason }
  | { readonly kind: 'unauthorized' | 'forbidden' | 'quotaExceeded' | 'notFound' };

/** `detail` is the answer's body; only its tell-tale words are looked for, since the texts are not contract. */
export function judgeAnswer(
  operation: Operation,
  status: number,
  retryAfter: string | undefined,
  detail: string,
  nowMs: number,
): Verdict {
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  if (status >= 200 && status < 300) return { kind: 'ok' };
  switch (status) {
    case 401:
      return { kind: 'unauthorized' };
    case 403:
      if (retryAfter !== undefined) return { kind: 'throttled', retryAfterMs };
      return { kind: /quota|limit|exceed/i.test(detail) ? 'quotaExceeded' : 'forbidden' };
    case 429:
      return { kind: 'throttled', retryAfterMs };
    case 409:
      // "Request rate too high" on registration writes (service-facts 1.4); elsewhere it has not been seen.
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

function judgeRefusal(operation: Operation, status: number): Verdict {
  if (operation === 'listOn' && (status === 400 || status === 404 || status === 410)) return { kind: 'tokenLost' };
  if (operation === 'putRegistration' && (status === 400 || status === 404 || status === 410))
    return { kind: 'idRefused' };
  if (status === 404) return { kind: 'notFound' };
  if (status === 413) return { kind: 'rejected', reason: 'TooLarge' };
  if (status === 412) return { kind: 'rejected', reason: 'Stale' };
  if (status >= 400 && status < 500) return { kind: 'rejected', reason: 'Rejected' };
  return { kind: 'transient', retryAfterMs: undefined };
}

/** `Retry-After` as seconds or HTTP date (RFC 9110, 10.2.3), in milliseconds from now; at most ten minutes. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const waitMs = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(Math.max(0, waitMs), 600_000);
}
