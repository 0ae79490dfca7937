import { type HubRequest, type HubResponse, type Route, type RouteContext, requireType } from './http-types.ts';
import type { Hub } from './hub.ts';
import { type ListQuery, startToken } from './listing.ts';
import { distort } from './page-faults.ts';
import { platforms } from './platforms.ts';
import { isInShare } from './random.ts';
import { type Row, toRowContent } from './row.ts';
import { ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';
import { requireValidTags } from './tags.ts';
import { parseDescription } from './xml-in.ts';
import { type AnswerContext, entryUrl, renderDescription, renderEntry, renderFeed } from './xml-out.ts';

/** Lists over all devices want Manage; single registrations, and those of a handle one knows, Listen. */
export const registrationRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'registrations',
    right: ({ parameters }) => (parameters.has('$filter') ? 'Listen' : 'Manage'),
    handle: list,
  },
  { method: 'GET', path: 'tags/{}/registrations', right: 'Manage', handle: list },
  { method: 'POST', path: 'registrations', right: 'Listen', handle: create },
  { method: 'POST', path: 'registrationids', right: 'Listen', handle: mintId },
  { method: 'PUT', path: 'registrations/{}', right: 'Listen', handle: put },
  { method: 'GET', path: 'registrations/{}', right: 'Listen', handle: read },
  { method: 'DELETE', path: 'registrations/{}', right: 'Listen', handle: remove },
];

function list({ hub, request, key: tag, pageFault }: RouteContext): HubResponse {
  const { pageSizeLimit, generation } = hub.switches;
  const top = Number(request.parameters.get('$top') ?? pageSizeLimit);
  if (!Number.isInteger(top) || top < 1) throw new ServiceError(400, 'The value of $top is invalid.');
  const filter = request.parameters.get('$filter');
  const handle = filter === undefined ? undefined : parseFilter(filter);
  const token = decodeToken(request.parameters.get('continuationtoken'));
  const intact = hub.listPage({ token, top, handle, tag: tag === '' ? undefined : tag });
  const { rows: given, nextToken: nextText } =
    pageFault === undefined ? intact : distort(intact, pageFault, token ?? startToken);
  const { unknownKindShare } = hub.switches;
  const rows = unknownKindShare === 0 ? given : given.map((row) => shownIn(row, unknownKindShare));
  const nextToken = nextText === undefined ? undefined : Buffer.from(nextText).toString('base64');
  const selfUrl = `http://${request.host}${request.path}${request.query}`;
  const nextUrl = nextToken === undefined ? undefined : nextLink(selfUrl, nextToken);
  const feed = renderFeed({ rows, nextUrl }, { ...answerContext(hub, request), selfUrl });
  const tripping = rows.filter(({ id }) => hub.switches.trippingIds.includes(id));
  const body = tripping.length === 0 ? feed : trip(feed, tripping, hub.switches);
  const type = generation === 2022 ? 'application/atom+xml; type=feed; charset=utf-8' : 'application/xml';
  const headers: Record<string, string> = { 'Content-Type': type };
  // The header is percent-encoded already, as recorded: clients put it into the next query as it is.
  if (nextToken !== undefined) headers['x-ms-continuationtoken'] = encodeURIComponent(nextToken);
  return { status: 200, headers, body };
}

function trip(feed: readonly string[], rows: readonly Row[], { tripsBy, generation }: HubSwitches): string[] {
  const text = feed.join('');
  if (tripsBy === 'error') throw new ServiceError(500, 'The server encountered an internal error');
  if (tripsBy === 'broken-page') return [text.slice(0, text.length / 2)];
  return [rows.reduce((odd, row) => odd.replace(renderDescription(row, generation), '<Unheard/>'), text)];
}

function shownIn(row: Row, unknownKindShare: number): Row {
  return isInShare(row.id, unknownKindShare) ? { ...row, shownAs: 'Unheard' } : row;
}

/** Takes the token as it came in the header and as the JavaScript SDK sends it, encoded once more. */
function decodeToken(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  return Buffer.from(given.replaceAll(/%3d/gi, '='), 'base64').toString();
}

/**
 * `ChannelUri eq 'x'` for every platform, or the platform's own fields joined by `and`. Takes the JavaScript SDK's
 * faults too: an opening quote left out (Baidu), a value encoded twice (Windows, Browser).
 */
function parseFilter(filter: string): ListQuery['handle'] {
  const conditions = new Map<string, string>();
  for (const part of filter.split(/\s+and\s+/i)) {
    const [, field, value] = /^\s*(\w+)\s+eq\s+'?(.*?)'?\s*$/is.exec(part) ?? [];
    if (field === undefined || value === undefined) throw new ServiceError(400, 'The $filter is invalid.');
    conditions.set(field.toLowerCase(), value);
  }
  const values = (name: string): string | undefined => conditions.get(name.toLowerCase());
  const any = values('ChannelUri');
  const own = platforms.find(({ handle }) => handle.every((name) => conditions.has(name.toLowerCase())));
  const parts = own?.handle.map((name) => values(name) ?? '') ?? [];
  const wanted = any ?? (own?.name === 'Baidu' ? parts.join('-') : parts[0]);
  if (wanted === undefined) throw new ServiceError(400, 'The $filter is invalid.');
  const spellings = new Set([wanted, wanted.toUpperCase(), decodeAgain(wanted)]);
  return { spellings, platform: any === undefined ? own?.name : undefined };
}

function create({ hub, request }: RouteContext): HubResponse {
  const row = hub.createRegistration(parseBody(hub, request));
  const answer = written(hub, request, row);
  if (hub.switches.generation !== 2022) return answer;
  // A PUT has no such header.
  const location = entryUrl(row, answerContext(hub, request), true);
  return { ...answer, headers: { ...answer.headers, 'Content-Location': location } };
}

function put({ hub, request, key }: RouteContext): HubResponse {
  const row = hub.putRegistration(key, parseBody(hub, request), request.headers['if-match']);
  return written(hub, request, row);
}

function parseBody(hub: Hub, request: HubRequest): ReturnType<typeof toRowContent> {
  if (hub.switches.strictBodies) requireType(request, /^application\/atom\+xml\s*;\s*type=entry\b/i);
  const description = parseDescription(request.body, hub.switches);
  requireValidTags(description.tags);
  return toRowContent(description);
}

function read({ hub, request, key }: RouteContext): HubResponse {
  const row = hub.rows.get(key);
  if (row === undefined) throw new ServiceError(404, '');
  const context = answerContext(hub, request);
  const isOld = context.generation === 2022;
  const type = isOld ? 'application/atom+xml; type=entry; charset=utf-8' : 'application/xml';
  const headers = { 'Content-Type': type, ...(isOld ? { ETag: `W/"${row.etag}"` } : {}) };
  return { status: 200, headers, body: renderEntry(row, context, false) };
}

function remove({ hub, request, key }: RouteContext): HubResponse {
  hub.deleteRegistration(key, request.headers['if-match']);
  return { status: 200 };
}

/** JavaScript's SDK insists on https, whatever it spoke itself, and takes the fourth part of the path. */
function mintId({ hub, request }: RouteContext): HubResponse {
  const isOld = hub.switches.generation === 2022;
  const location = `https://${request.host}/${hub.name}/registrationids/${hub.mintId()}${isOld ? request.query : ''}`;
  const headers: Record<string, string> = { Location: location };
  if (!isOld) headers['Content-Type'] = 'application/atom+xml; type=entry; charset=utf-8';
  return { status: 201, headers };
}

function written(hub: Hub, request: HubRequest, row: Row): HubResponse {
  const context = answerContext(hub, request);
  const headers: Record<string, string> = { 'Content-Type': 'application/atom+xml; type=entry; charset=utf-8' };
  if (context.generation === 2022) headers['ETag'] = `W/"${row.etag}"`;
  return { status: 200, headers, body: renderEntry(row, context, true) };
}

function answerContext(hub: Hub, { host, query }: HubRequest): AnswerContext {
  const at = new Date(hub.nowMs);
  return { generation: hub.switches.generation, hubUrl: `http://${host}/${hub.name}`, query, at };
}

/** The service writes the names again and encodes the token, already percent-encoded, once more; both as recorded. */
function nextLink(selfUrl: string, token: string): string {
  const url = new URL(selfUrl);
  const parameters = [...url.searchParams].filter(([name]) => name.toLowerCase() !== 'continuationtoken');
  const pairs = [...parameters, ['continuationtoken', encodeURIComponent(token)]];
  return `${url.origin}${url.pathname}?${pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')}`;
}

function decodeAgain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Encoded once only, with a percent sign of its own.
    return text;
  }
}
