import type { HubRequest, HubResponse } from './http-types.ts';
import type { Hub } from './hub.ts';
import type { Namespace } from './namespace.ts';
import type { AccessRule } from './sas.ts';
import { noSuchService, ServiceError } from './service-error.ts';
import { atom, connect, instance, seconds } from './xml-out.ts';
import { element, escapeAttribute, escapeText } from './xml-text.ts';

type ManagementHandler = (namespace: Namespace, name: string, request: HubRequest) => HubResponse;

/** Creating, reading and deleting a hub itself, by method; `/{hub}`. */
export const hubManagementRoutes: Readonly<Record<string, ManagementHandler>> = {
  PUT: (namespace, name, request) => {
    const existing = namespace.hub(name);
    if (existing === undefined) {
      return { status: 201, headers: entryType, body: render(namespace, namespace.addHub(name), request, 'created') };
    }
    if (request.headers['if-match'] === undefined) throw new ServiceError(409, 'SubCode=40900. Conflict');
    return { status: 200, headers: entryType, body: render(namespace, existing, request, 'updated') };
  },
  GET: (namespace, name, request) => {
    const hub = namespace.hub(name);
    // An unknown hub is not 404 but a list of services without it; recorded.
    if (hub === undefined) return renderPublicServices(namespace, request, []);
    return { status: 200, headers: entryType, body: render(namespace, hub, request, 'read') };
  },
  DELETE: (namespace, name) => {
    if (!namespace.removeHub(name)) throw new ServiceError(404, noSuchService);
    return { status: 200 };
  },
};

const entryType = { 'Content-Type': 'application/atom+xml; type=entry; charset=utf-8' };

/** Feed of hubs of a namespace. */
export function renderPublicServices(namespace: Namespace, { host }: HubRequest, hubs: Iterable<Hub>): HubResponse {
  const { at, uuid } = namespace.stamp();
  const now = seconds(at);
  const entries = [...hubs].map(
    ({ name }, index) =>
      `<entry><id>uuid:${uuid};id=${index + 2}</id><title type="text">${escapeText(name)}</title><updated>${now}</updated><link rel="alternate" href="http://${host}/${escapeAttribute(name)}"/></entry>`,
  );
  const body = `<feed xmlns="${atom}"><title type="text">Publicly Listed Services</title><subtitle type="text">This is the list of publicly-listed services currently available.</subtitle><id>uuid:${uuid};id=1</id><updated>${now}</updated><generator>Service Bus 1.1</generator>${entries.join('')}</feed>`;
  return { status: 200, headers: { 'Content-Type': 'application/atom+xml; type=feed; charset=utf-8' }, body };
}

function render(namespace: Namespace, hub: Hub, request: HubRequest, occasion: 'created' | 'updated' | 'read'): string {
  const url = escapeAttribute(`http://${request.host}${request.path}${request.query}`);
  const published = occasion === 'updated' ? '' : element('published', seconds(hub.createdAt));
  const rules = namespace.hubRules(hub.name).map((rule) => renderRule(rule, hub.createdAt.toISOString()));
  return `<entry xmlns="${atom}"><id>${url}</id><title type="text">${escapeText(hub.name)}</title>${published}<updated>${seconds(namespace.stamp().at)}</updated><author>${element('name', namespace.name)}</author><link rel="self" href="${url}"/><content type="application/xml"><NotificationHubDescription xmlns="${connect}" xmlns:i="${instance}"><RegistrationTtl>${renderTimeToLive(hub)}</RegistrationTtl><AuthorizationRules>${rules.join('')}</AuthorizationRules>${renderTail(hub, occasion)}</NotificationHubDescription></content></entry>`;
}

/** The longest time there is stands for none. */
function renderTimeToLive({ switches: { timeToLiveMs } }: Hub): string {
  if (timeToLiveMs === 0) return 'P10675199DT2H48M5.4775807S';
  const days = Math.floor(timeToLiveMs / 86_400_000);
  const rest = (timeToLiveMs % 86_400_000) / 1000;
  return `P${days}D${rest === 0 ? '' : `T${rest}S`}`;
}

function renderTail(hub: Hub, occasion: 'created' | 'updated' | 'read'): string {
  if (occasion === 'created') return '';
  if (occasion === 'updated') return '<Status>true</Status>';
  const calls = [...hub.requests.values()].reduce((sum, count) => sum + count, 0);
  return `<DailyMaxActiveDevices>${hub.deviceCount}</DailyMaxActiveDevices><DailyMaxActiveRegistrations>${hub.rows.size}</DailyMaxActiveRegistrations><DailyApiCalls>${calls}</DailyApiCalls>`;
}

function renderRule({ name, rights, keys }: AccessRule, at: string): string {
  const granted = rights.map((right) => element('AccessRights', right)).join('');
  return `<AuthorizationRule i:type="SharedAccessAuthorizationRule"><ClaimType>SharedAccessKey</ClaimType><ClaimValue>None</ClaimValue><Rights>${granted}</Rights><CreatedTime>${at}</CreatedTime><ModifiedTime>${at}</ModifiedTime><KeyName>${name}</KeyName><PrimaryKey>${keys[0]}</PrimaryKey><SecondaryKey>${keys[1]}</SecondaryKey></AuthorizationRule>`;
}
