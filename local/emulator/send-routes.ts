import { z } from 'zod';
import type { HubRequest, HubResponse, Route, RouteContext } from './http-types.ts';
import type { Namespace } from './namespace.ts';
import { platforms } from './platforms.ts';
import type { Notification, SendRequest } from './sends.ts';
import { ServiceError } from './service-error.ts';
import { connect, instance } from './xml-out.ts';
import { element } from './xml-text.ts';

export const sendRoutes: readonly Route[] = [
  { method: 'POST', path: 'messages', right: 'Send', handle: send },
  { method: 'POST', path: 'messages/$batch', right: 'Send', handle: sendBatch },
  { method: 'GET', path: 'messages/{}', right: 'Send', handle: telemetry },
  { method: 'POST', path: 'schedulednotifications', right: 'Send', handle: schedule },
  { method: 'DELETE', path: 'schedulednotifications/{}', right: 'Send', handle: cancel },
  { method: 'GET', path: 'feedbackcontainer', right: 'Manage', handle: feedbackContainer },
];

/** Where feedback is while it is written nowhere: a container without blobs, which needs no SAS. */
export const EMPTY_CONTAINER = '$feedback/00000000000000000000';

/** A listing of it, as the storage gives it. */
export const emptyListing: HubResponse = {
  status: 200,
  headers: { 'Content-Type': 'application/xml' },
  body: '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs /><NextMarker /></EnumerationResults>',
};

/** What the Standard tier takes; below it a namespace is Basic or Free. */
const STANDARD_DEVICES = 10_000_000;
const payloadLimitBytes = 64 * 1024;

function send({ hub, request }: RouteContext): HubResponse {
  if (Buffer.byteLength(request.body) > payloadLimitBytes) throw new ServiceError(413, 'The payload is too large.');
  const isDirect = request.parameters.has('direct');
  const deviceHandle = request.headers['servicebusnotification-devicehandle'];
  if (isDirect && deviceHandle === undefined) throw new ServiceError(400, 'The device handle is missing.');
  const handles = isDirect && deviceHandle !== undefined ? [deviceHandle] : undefined;
  const notification = hub.sender.send(sendRequest(request, handles));
  const answer = sent(`http://${request.host}/${hub.name}/messages/${notification.id}${request.query}`);
  const isTest = request.parameters.has('test') && !isDirect;
  return isTest ? { ...answer, body: renderOutcome(notification) } : answer;
}

/** One notification to a list of handles. The answer's address is below `$batch`, as recorded. */
function sendBatch({ namespace, hub, request }: RouteContext): HubResponse {
  requireStandard(namespace, 'This operation is not available for your tier');
  const { body, handles } = parseBatch(request);
  const { id } = hub.sender.send({ ...sendRequest(request, handles), body });
  return sent(`http://${request.host}/${hub.name}/messages/$batch/${id}${request.query}`);
}

function schedule({ namespace, hub, request }: RouteContext): HubResponse {
  requireStandard(namespace);
  const at = Date.parse(request.headers['servicebusnotification-scheduletime'] ?? '');
  if (Number.isNaN(at)) throw new ServiceError(400, 'The schedule time is invalid.');
  const id = hub.sender.schedule(sendRequest(request), at);
  return sent(`http://${request.host}/${hub.name}/schedulednotifications/${id}${request.query}`);
}

function cancel({ namespace, hub, key }: RouteContext): HubResponse {
  requireStandard(namespace);
  if (!hub.sender.cancel(key)) throw new ServiceError(404, 'The scheduled notification was not found');
  return { status: 200 };
}

function sendRequest(request: HubRequest, deviceHandles?: readonly string[]): SendRequest {
  return {
    format: request.headers['servicebusnotification-format'] ?? '',
    tagExpression: request.headers['servicebusnotification-tags'],
    deviceHandles,
    body: request.body,
  };
}

function sent(location: string): HubResponse {
  return { status: 201, headers: { Location: location, 'Content-Type': 'application/xml; charset=utf-8' } };
}

/** A body of two parts, `notification` and `devices`, the latter a list in JSON. @throws ServiceError 400 */
function parseBatch({ headers, body }: HubRequest): { readonly body: string; readonly handles: readonly string[] } {
  const [, quoted, bare] = /boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(headers['content-type'] ?? '') ?? [];
  const invalid = new ServiceError(400, 'The multipart body is invalid.');
  const parts = body.split(`--${quoted ?? bare}`).map((part) => {
    const [, head = '', content = ''] = /^(.*?)\r?\n\r?\n(.*?)(?:\r?\n)?$/s.exec(part) ?? [];
    return { name: /name="?(\w+)/i.exec(head)?.[1], content };
  });
  const notification = parts.find(({ name }) => name === 'notification')?.content;
  const devices = parts.find(({ name }) => name === 'devices')?.content;
  if (notification === undefined || devices === undefined) throw invalid;
  try {
    return { body: notification, handles: z.array(z.string().min(1)).min(1).parse(JSON.parse(devices)) };
  } catch {
    throw invalid;
  }
}

function telemetry({ hub, request, key }: RouteContext): HubResponse {
  const notification = hub.sender.find(key);
  if (notification === undefined) throw new ServiceError(404, 'The notification was not found');
  const location = `http://${request.host}/${hub.name}/messages/${key}${request.query}`;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/xml; charset=utf-8' },
    body: renderDetails(notification, location),
  };
}

/** Standard only, by the documentation. */
function feedbackContainer({ namespace, hub, request }: RouteContext): HubResponse {
  requireStandard(namespace);
  const body = hub.switches.feedbackContainer ?? `http://${request.host}/${EMPTY_CONTAINER}`;
  return { status: 200, headers: { 'Content-Type': 'application/xml; charset=utf-8' }, body };
}

/** Documented for feedback, telemetry and jobs alike. @throws ServiceError 403 below the Standard tier. */
export function requireStandard({ deviceLimit }: Namespace, text = 'The feature is not enabled for your SKU'): void {
  if (deviceLimit < STANDARD_DEVICES) throw new ServiceError(403, text);
}

/** Of a test send. */
function renderOutcome({ reached }: ReturnType<RouteContext['hub']['sender']['send']>): string {
  const results = reached.map(
    ({ platform, id, handle }) =>
      `<RegistrationResult>${element('ApplicationPlatform', platform.toLowerCase())}${element('PnsHandle', handle)}${element('RegistrationId', id)}${element('Outcome', 'The Notification was successfully sent to the Push Notification System')}</RegistrationResult>`,
  );
  return `<NotificationOutcome xmlns="${connect}" xmlns:i="${instance}"><Success>${reached.length}</Success><Failure>0</Failure><Results>${results.join('')}</Results></NotificationOutcome>`;
}

/** As the .NET client reads them, which loses an element that comes after one of a later place. */
const outcomePlaces = ['Apple', 'Mpns', 'Windows', 'Gcm', 'Adm', 'FcmV1'];

function byOutcomePlace(a: { readonly name: string }, b: { readonly name: string }): number {
  const [own, other] = [a, b].map(({ name }) => outcomePlaces.indexOf(name) >>> 0);
  return (own ?? 0) - (other ?? 0);
}

/** Not recorded: the elements are those that the SDKs read. */
function renderDetails({ id, body, sentAt, deliveries, errors }: Notification, location: string): string {
  const at = sentAt.toISOString();
  const reached = platforms.filter(({ name }) => deliveries.has(name));
  const targets = reached.map(({ sendFormat }) => sendFormat).join(',');
  const outcomes = reached
    .toSorted(byOutcomePlace)
    .map(
      ({ name, outcomeElement }) =>
        `<${outcomeElement}><Outcome><Name>Success</Name><Count>${deliveries.get(name) ?? 0}</Count></Outcome></${outcomeElement}>`,
    );
  const state = reached.length === 0 ? 'NoTargetFound' : 'Completed';
  const times = element('EnqueueTime', at) + element('StartTime', at) + element('EndTime', at);
  return `<NotificationDetails xmlns="${connect}" xmlns:i="${instance}">${element('NotificationId', id)}${element('Location', location)}${element('State', state)}${times}${element('NotificationBody', body)}${element('TargetPlatforms', targets)}${outcomes.join('')}${errors === undefined ? '' : element('PnsErrorDetailsUri', errors)}</NotificationDetails>`;
}
