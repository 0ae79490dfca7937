import { DrError } from '../errors.ts';

/** What is being read, for the message, and whether reading it again could help. */
export interface XmlSource {
  readonly what: string;
  readonly isRetryable: boolean;
  /** Whether `<?xml ... ?>` may precede it. */
  readonly mayBeDeclared: boolean;
}

/** The error for XML that cannot be trusted. `fault` is fixed text, never a piece of what was read. */
export function misread(source: XmlSource, fault: string, offset?: number): DrError {
  const place = offset === undefined ? '' : ` (character ${offset})`;
  const message = `${source.what} cannot be read: ${fault}${place}. None of it was used; if this persists, report it as a bug with the hub's region.`;
  return new DrError('HubMisbehaves', message, { retryable: source.isRetryable });
}
