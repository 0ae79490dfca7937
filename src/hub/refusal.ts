import { DrError, type ErrorCode } from '../core/errors.ts';
import type { Verdict } from './transport/answer.ts';

/** The error for an answer that stops the run. Says what to do; quotes nothing of the answer but its status. */
export function refusal(verdict: Verdict, status: number, where: string): DrError {
  const error = (code: ErrorCode, message: string) => new DrError(code, message, { target: where });
  if ('right' in verdict && verdict.right !== undefined) {
    return error(
      'HubForbidden',
      `The access policy for the ${where} does not have the ${verdict.right} right (${status}). Use one that has Manage, Send and Listen.`,
    );
  }
  switch (verdict.kind) {
    case 'unauthorized':
      return error(
        'HubUnauthorized',
        `The ${where} does not accept the access key. Put the current connection string into the settings.`,
      );
    case 'forbidden':
    case 'unexplained':
      return error(
        'HubForbidden',
        `The ${where} forbids the call (${status}). The access policy needs the Manage right, and the namespace's tier and network rules must allow the call.`,
      );
    case 'quotaExceeded':
      return error(
        'QuotaExceeded',
        `The ${where} takes no more devices (${status}, quota). Raise the namespace's tier or empty its other hubs, then restore again.`,
      );
    case 'notFound':
      return error('HubNotFound', `The ${where} does not exist (${status}). Check the hub name setting.`);
    case 'olderVersion':
      return error(
        'HubMisbehaves',
        `The ${where} was created with an older API version: it asks for ${verdict.version}, and does not take it either. Create the hub again.`,
      );
    default:
      return error(
        'HubMisbehaves',
        `The ${where} answered the call with status ${status}, which has no meaning there. Check the endpoint in the connection string.`,
      );
  }
}

/** Throws the refusal of an answer that is one. */
export function requireOk({ verdict, status }: { readonly verdict: Verdict; readonly status: number }, where: string) {
  if (verdict.kind !== 'ok') throw refusal(verdict, status, where);
}
