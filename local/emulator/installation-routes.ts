import { type HubResponse, type Route, type RouteContext, requireType } from './http-types.ts';
import { parseInstallation } from './installation.ts';
import { parsePatch } from './installation-patch.ts';
import { ServiceError } from './service-error.ts';

export const installationRoutes: readonly Route[] = [
  { method: 'PUT', path: 'installations/{}', right: 'Listen', handle: put },
  { method: 'PATCH', path: 'installations/{}', right: 'Listen', handle: patch },
  { method: 'GET', path: 'installations/{}', right: 'Listen', handle: read },
  { method: 'DELETE', path: 'installations/{}', right: 'Listen', handle: remove },
];

function put(context: RouteContext): HubResponse {
  if (context.hub.switches.strictBodies) requireType(context.request, /^application\/json\b/i);
  context.hub.putInstallation(parseInstallation(context.key, parseJson(context.request.body)));
  return { status: 200, headers: typeHeader(context) };
}

function patch(context: RouteContext): HubResponse {
  context.hub.patchInstallation(context.key, parsePatch(parseJson(context.request.body)));
  return { status: 200, headers: typeHeader(context) };
}

/** The answer is JSON under the name of XML, as recorded. */
function read({ hub, key }: RouteContext): HubResponse {
  const installation = hub.installations.get(key);
  if (installation === undefined) throw new ServiceError(404, 'Installation not found');
  return { status: 200, headers: { 'Content-Type': 'application/xml; charset=utf-8' }, body: installation.json };
}

function remove(context: RouteContext): HubResponse {
  context.hub.deleteInstallation(context.key);
  return { status: 204, headers: typeHeader(context) };
}

function typeHeader({ hub }: RouteContext): Record<string, string> {
  return hub.switches.generation === 2022 ? { 'Content-Type': 'application/xml; charset=utf-8' } : {};
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError(400, 'The supplied installation payload is invalid.');
  }
}
