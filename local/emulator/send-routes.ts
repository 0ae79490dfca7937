import type { HubResponse, Route, RouteContext } from './http-types.ts';
import { platforms } from './platforms.ts';
import type { Notification } from './sends.ts';
import { ServiceError } from './service-error.ts';
import { connect, instance } from './xml-out.ts';
import { element } from './xml-text.ts';

export const sendRoutes: readonly Route[] = [
  { method: 'POST', path: 'messages', right: 'Send', handle: send },
  { method: 'GET', path: 'messages/{}', right: 'Send', handle: telemetry },
  { method: 'GET', path: 'feedbackcontainer', right: 'Manage', handle: feedbackContainer },
];

/** What the Standard tier takes; below it a namespace is Basic or Free. */
const STANDARD_DEVICES = 10_000_000;
const payloadLimitBytes = 64 * 1024;

function send({ hub, request }: RouteContext): HubResponse {
  if (Buffer.byteLength(request.body) > payloadLimitBytes) throw new ServiceError(413, 'The payload is too large.');
  const isDirect = request.parameters.has('direct');
  const deviceHandle = request.headers['servicebusnotification-devicehandle'];
  if (isDirect && deviceHandle === undefined) throw new ServiceError(400, 'The device handle is missing.');
  const notification = hub.sender.send({
    format: request.headers['servicebusnotification-format'] ?? '',
    tagExpression: request.headers['servicebusnotification-tags'],
    deviceHandle: isDirect ? deviceHandle : undefined,
    body: request.body,
  });
  const location = `http://${request.host}/${hub.name}/messages/${notification.id}${request.query}`;
  return { status: 201, headers: { Location: location, 'Content-Type': 'application/xml; charset=utf-8' } };
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

/** Standard only, by the documentation; the container itself is not emulated, its address tells a client the tier. */
function feedbackContainer({ namespace }: RouteContext): HubResponse {
  if (namespace.deviceLimit < STANDARD_DEVICES) throw new ServiceError(403, 'The feature is not enabled for your SKU');
  const body = 'https://pushpnsfb.blob.core.windows.net/00000000000000000000';
  return { status: 200, headers: { 'Content-Type': 'application/xml; charset=utf-8' }, body };
}

/** Not recorded: the elements are those that the SDKs read. */
function renderDetails({ id, body, sentAt, deliveries }: Notification, location: string): string {
  const at = sentAt.toISOString();
  const reached = platforms.filter(({ name }) => deliveries.has(name));
  const targets = reached.map(({ sendFormat }) => sendFormat).join(',');
  const outcomes = reached.map(
    ({ name, outcomeElement }) =>
      `<${outcomeElement}><Outcome><Name>Success</Name><Count>${deliveries.get(name) ?? 0}</Count></Outcome></${outcomeElement}>`,
  );
  const state = reached.length === 0 ? 'NoTargetFound' : 'Completed';
  const times = element('EnqueueTime', at) + element('StartTime', at) + element('EndTime', at);
  return `<NotificationDetails xmlns="${connect}" xmlns:i="${instance}">${element('NotificationId', id)}${element('Location', location)}${element('State', state)}${times}${element('NotificationBody', body)}${element('TargetPlatforms', targets)}${outcomes.join('')}</NotificationDetails>`;
}
