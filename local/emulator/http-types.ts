import type { Hub } from './hub.ts';
import type { Namespace } from './namespace.ts';
import type { PageFault } from './page-faults.ts';
import type { Right } from './sas.ts';
import { ServiceError } from './service-error.ts';

/** A request as the rules see it: no socket, no stream. */
export interface HubRequest {
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** Path in decoded parts, without empty ones. */
  readonly segments: readonly string[];
  /** Decoded, names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The `Host` header. */
  readonly host: string;
  readonly body: string;
}

export interface HubResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A long body comes in parts: as one text it would be too large for V8's young generation, and slow. */
  readonly body?: string | readonly string[];
}

/** What a route's handler gets. */
export interface RouteContext {
  readonly namespace: Namespace;
  readonly hub: Hub;
  readonly request: HubRequest;
  /** The variable part of the path: an id or a tag; empty when the route has none. */
  readonly key: string;
  /** What is to be wrong with the page, where the route gives one. */
  readonly pageFault: PageFault | undefined;
}

/** One row of the route table. `{}` in the path stands for the variable part. */
export interface Route {
  readonly method: string;
  /** Below the hub, lower-case, such as `registrations/{}`. */
  readonly path: string;
  readonly right: Right | ((request: HubRequest) => Right);
  readonly handle: (context: RouteContext) => HubResponse;
}

/** Reads method, target, headers and body of an HTTP request; a path that cannot be decoded is kept as it is. */
export function toHubRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string | undefined>>,
  body: string,
): HubRequest {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) parameters.set(name.toLowerCase(), value);
  const segments = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeSegment);
  return { method, path, query, segments, parameters, headers, host: headers['host'] ?? '', body };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray percent sign: the real path segment is the text itself.
    return segment;
  }
}

/** @throws ServiceError 400 for a body of another type. */
export function requireType({ headers }: HubRequest, wanted: RegExp): void {
  if (!wanted.test(headers['content-type'] ?? '')) throw new ServiceError(400, 'The content type is not supported.');
}
