import type { HubRequest, HubResponse, Route } from './http-types.ts';
import { hubManagementRoutes, renderPublicServices } from './hub-management.ts';
import { installationRoutes } from './installation-routes.ts';
import { jobRoutes } from './job-routes.ts';
import type { Namespace } from './namespace.ts';
import type { PageFault } from './page-faults.ts';
import { registrationRoutes } from './registration-routes.ts';
import { authorize, type Right } from './sas.ts';
import { EMPTY_CONTAINER, emptyListing, sendRoutes } from './send-routes.ts';
import { noSuchService, renderError, ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';

const manageMissing = 'Manage claim is required for this operation.';
const routes: readonly Route[] = [...registrationRoutes, ...installationRoutes, ...sendRoutes, ...jobRoutes];

/** Answers one request by the service's rules: known token, existing hub, sufficient right, the hub's rate, then the route. */
export function answer(namespace: Namespace, request: HubRequest, pageFault?: PageFault): HubResponse {
  if (request.method === 'GET' && request.segments.join('/') === EMPTY_CONTAINER) return emptyListing;
  const hub = namespace.hub(request.segments[0] ?? '');
  const found = findRoute(request);
  const response = respond(namespace, () => {
    const rules = [...namespace.rules(), ...(hub === undefined ? [] : namespace.hubRules(hub.name))];
    const url = `${request.host}${request.path}${request.query}`;
    const rights = authorize(request.headers['authorization'], url, rules, namespace.world.now());
    if (request.segments.length < 2) return manage(namespace, request, rights);
    if (hub === undefined) throw new ServiceError(404, noSuchService);
    if (found === undefined) throw new ServiceError(404, 'The requested resource is not part of this emulator');
    const { route, key } = found;
    requireApiVersion(request, hub.switches);
    requireRight(rights, typeof route.right === 'function' ? route.right(request) : route.right, hub.switches);
    const waitMs = hub.admit();
    if (waitMs > 0) return renderThrottled(namespace, waitMs, hub.switches);
    return route.handle({ namespace, hub, request, key, pageFault });
  });
  if (hub !== undefined) {
    const line = `${request.method} ${routeName(request, found)} ${response.status}`;
    hub.requests.set(line, (hub.requests.get(line) ?? 0) + 1);
  }
  return response;
}

/** The route below the hub as the table spells it, `/` for the hub itself, `/(unknown)` for none. */
export function routeName(request: HubRequest, found = findRoute(request)): string {
  return found?.name ?? (request.segments.length < 2 ? '/' : '/(unknown)');
}

/** Matched without regard to letter case or slashes at the end; `registrationids` and `registrationIDs` are one. */
function findRoute(request: HubRequest): { route: Route; key: string; name: string } | undefined {
  const [, ...segments] = request.segments;
  for (const route of routes) {
    const pattern = route.path.split('/');
    if (route.method !== request.method || pattern.length !== segments.length) continue;
    const isMatch = pattern.every((part, at) => part === '{}' || part === segments[at]?.toLowerCase());
    if (isMatch) return { route, key: segments[pattern.indexOf('{}')] ?? '', name: `/${route.path}` };
  }
  return undefined;
}

function manage(namespace: Namespace, request: HubRequest, rights: readonly Right[]): HubResponse {
  // Unlike the data calls: recorded.
  if (!rights.includes('Manage')) throw new ServiceError(401, manageMissing);
  const handle = hubManagementRoutes[request.method];
  const name = request.segments[0];
  if (name === undefined && request.method === 'GET')
    return renderPublicServices(namespace, request, namespace.hubs.values());
  if (handle === undefined || name === undefined) throw new ServiceError(404, noSuchService);
  return handle(namespace, name, request);
}

/** The reported text. @throws ServiceError 400 for a later version than the hub takes. */
function requireApiVersion({ parameters }: HubRequest, { newestApiVersion }: HubSwitches): void {
  if (newestApiVersion === null || (parameters.get('api-version') ?? '') <= newestApiVersion) return;
  throw new ServiceError(
    400,
    `The notification hub was created with an older API version. Either re-create the notification hub or use an older API version, ${newestApiVersion}, to access it`,
  );
}

/** With nothing in the body, or with a claim named: both were recorded, in different years. */
function requireRight(rights: readonly Right[], wanted: Right, { missingRightStatus }: HubSwitches): void {
  if (rights.includes(wanted)) return;
  const isNamed = missingRightStatus === 401 && wanted === 'Manage';
  throw new ServiceError(missingRightStatus, isNamed ? manageMissing : '');
}

function respond(namespace: Namespace, handle: () => HubResponse): HubResponse {
  try {
    return handle();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { status, message } = error;
    if ((status === 401 || status === 403) && message === '') return { status };
    const headers = { 'Content-Type': 'application/xml; charset=utf-8' };
    return { status, headers, body: renderError(status, message, namespace.stamp()) };
  }
}

/** `Retry-After` in whole seconds, rounded up: a client that waits this long finds a token, unless another takes it. */
function renderThrottled(namespace: Namespace, waitMs: number, { throttleSilently }: HubSwitches): HubResponse {
  const headers: Record<string, string> = { 'Content-Type': 'application/xml; charset=utf-8' };
  if (!throttleSilently) headers['Retry-After'] = String(Math.ceil(waitMs / 1000));
  return { status: 429, headers, body: renderError(429, 'The request rate is too high', namespace.stamp()) };
}
