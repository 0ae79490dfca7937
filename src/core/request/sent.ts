import { z } from 'zod';
import { DrError } from '../errors.ts';
import { bodySource, parseJson, parseWith } from '../parse.ts';

/** The parts of an HTTP call, besides its path, that say what is asked for. */
export interface Sent {
  readonly method: string;
  readonly headers: { get(name: string): string | null };
  readonly query: URLSearchParams;
  /** The body that arrived. A GET has none: the Functions library drops it. */
  readonly text: string;
}

/** What a call reads of them. */
export interface Reads {
  readonly query?: z.ZodType;
  readonly body?: true;
}

export const pageQuery = z.strictObject({ from: z.string().optional() });
export const failuresQuery = pageQuery.extend({ by: z.literal('reason').optional() });
/** Of a list by time, newest first: an id, or a time, which links of earlier versions have. */
export const beforeQuery = z.strictObject({
  from: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}T/, 'must be as in nextLink')
    .optional(),
});
export const reportQuery = z.strictObject({ format: z.enum(['json', 'markdown']).optional() });

/**
 * Refuses what a call would ignore: it would do something else than its sender asked for. Throws `BadRequest`,
 * `UnknownField` or `BodyNotReceived`.
 */
export function refuseUnread(sent: Sent, reads: Reads): void {
  refuseUnknownQuery(sent.query, reads);
  if (sent.text === '') refuseLostBody(sent);
  else if (reads.body === undefined) refuseBody(sent.text);
}

/** The host's own parameters: the key, and the name of that key, which the portal adds. */
const ofTheHost: ReadonlySet<string> = new Set(['code', 'clientid']);

function refuseUnknownQuery(query: URLSearchParams, reads: Reads): void {
  const names = [...new Set(query.keys())].filter((name) => !ofTheHost.has(name.toLowerCase()));
  const values = Object.fromEntries(names.map((name) => [name, query.getAll(name).join(',')]));
  const hint = reads.body === undefined ? 'Send only what REFERENCE.md names.' : 'Send fields in the body, as JSON.';
  parseWith(reads.query ?? z.strictObject({}), values, { code: 'BadRequest', what: 'query', hint });
}

/**
 * The Functions host hands a body on only when its length is known. One sent in chunks, the default of many clients,
 * arrives as none, without an error [functions-host #4926].
 */
function refuseLostBody({ method, headers }: Sent): void {
  const header = announcing(method, headers);
  if (header === undefined) return;
  const message =
    method === 'GET'
      ? `The header '${header}' announces a body, but a GET takes none. Send it without.`
      : `The header '${header}' announces a body, but none arrived, so nothing was done. Send the body with a Content-Length header: the Functions host drops a body sent in chunks. A call without a body has neither a Content-Type nor a Transfer-Encoding header.`;
  throw new DrError('BodyNotReceived', message, { target: header });
}

function announcing(method: string, headers: Sent['headers']): string | undefined {
  if (headers.get('transfer-encoding') !== null) return 'Transfer-Encoding';
  const length = headers.get('content-length');
  if (Number(length) > 0) return 'Content-Length';
  const type = headers.get('content-type')?.toLowerCase() ?? '';
  // Many clients name a type in every call; a GET has no body that could be lost.
  if (type === '' || method === 'GET') return undefined;
  // Windows PowerShell and `curl -d ''` add this type to a POST without a body.
  const isFormOfNothing = length === '0' && type.startsWith('application/x-www-form-urlencoded');
  return isFormOfNothing ? undefined : 'Content-Type';
}

/** `{}` asks for nothing, and some clients cannot send less. */
function refuseBody(text: string): void {
  const source = bodySource('This call takes no fields: send no body, or {}.');
  parseWith(z.strictObject({}), parseJson(text, source), source);
}
