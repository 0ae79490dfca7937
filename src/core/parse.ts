import type { z } from 'zod';
import { DrError, type ErrorCode, type ErrorDetail } from './errors.ts';

/** Where an outside value came from and which code its faults get. */
export interface Source {
  readonly code: ErrorCode;
  /** What is being read, for the message: "request body", "run document". */
  readonly what: string;
  /** What the reader should do about it. */
  readonly hint: string;
  readonly target?: string;
}

/** A body of a million unknown fields must not become an answer, a log line or a run document of that size. */
const MAX_DETAILS = 20;
const MAX_NAME_LENGTH = 100;

/** Checks an outside value against its schema; every fault is a detail of one `DrError`. Values are never quoted. */
export function parseWith<T>(schema: z.ZodType<T>, input: unknown, source: Source): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const all = result.error.issues.flatMap((issue) => toDetails(issue, source.code));
  const details = all.slice(0, MAX_DETAILS);
  const code = details.some((detail) => detail.code === 'UnknownField') ? 'UnknownField' : source.code;
  const more = all.length > details.length ? `; and ${all.length - details.length} more` : '';
  const list = `${details.map((detail) => detail.message).join('; ')}${more}`;
  const target = source.target ?? details[0]?.target;
  throw new DrError(code, `The ${source.what} cannot be used: ${list}. ${source.hint}`, { details, target });
}

/** `JSON.parse` whose failure is a `DrError` of the source's code. */
export function parseJson(text: string, source: Source): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DrError(source.code, `The ${source.what} is not JSON. ${source.hint}`, { target: source.target, cause });
  }
}

/** The values of a connection string by lower-case name; `undefined` when a part of it is not `Name=Value`. */
export function partsOf(connectionString: string): ReadonlyMap<string, string> | undefined {
  const pieces = connectionString.split(';').filter((piece) => piece.trim() !== '');
  const parts = pieces.map((piece) => /^([^=]+)=(.*)$/s.exec(piece)?.slice(1) ?? []);
  if (parts.some((part) => part.length === 0)) return undefined;
  return new Map(parts.map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim()]));
}

function toDetails(issue: z.core.$ZodIssue, code: ErrorCode): ErrorDetail[] {
  const path = shorten(issue.path.join('.'));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(shorten).map((key) => ({
      code: code === 'BadRequest' ? 'UnknownField' : code,
      message: `'${[path, key].filter(Boolean).join('.')}' is not a known field`,
      target: key,
    }));
  }
  const message = path === '' ? issue.message : `'${path}': ${issue.message}`;
  return [{ code, message, ...(path === '' ? {} : { target: path }) }];
}

function shorten(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
}

/** What is wrong with a request's body is said with this hint. */
export function bodySource(hint: string): Source {
  return { code: 'BadRequest', what: 'request body', hint };
}
