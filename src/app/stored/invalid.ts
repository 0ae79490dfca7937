import { DrError, type ErrorCode } from '../../core/errors.ts';

export interface InvalidDocument {
  /** What it is called in messages: "run document". */
  readonly what: string;
  readonly name: string;
  /** "is missing" */
  readonly why: string;
  /** What to do about it, as a sentence. */
  readonly hint?: string;
  readonly code?: ErrorCode;
  readonly cause?: unknown;
}

/** The one error for a stored document that cannot be used. */
export function invalidDocument({ what, name, why, hint, code, cause }: InvalidDocument): DrError {
  const message = `The ${what} ${name} ${why}. ${hint ?? 'Start a new run.'}`;
  return new DrError(code ?? 'StoredDocumentInvalid', message, { target: name, cause });
}
