import type { HubRequest, HubResponse, Route, RouteContext } from './http-types.ts';
import type { Hub } from './hub.ts';
import { distort, type Page } from './page-faults.ts';
import { platforms } from './platforms.ts';
import { type Row, toRowContent } from './row.ts';
import { RowList } from './row-list.ts';
import { ServiceError } from './service-error.ts';
import { requireValidTags } from './tags.ts';
import { parseDescription } from './xml-in.ts';
import { type AnswerContext, entryUrl, renderEntry, renderFeed } from './xml-out.ts';

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
  const intact = readPage(hub, request, tag, Math.min(top, pageSizeLimit));
  const start = decodeToken(request.parameters.get('continuationtoken'));
  const { rows, nextToken: nextText } = pageFault === undefined ? intact : distort(intact, pageFault, start);
  const nextToken = nextText === undefined ? undefined : Buffer.from(nextText).toString('base64');
  const selfUrl = `http://${request.host}${request.path}${request.query}`;
  const nextUrl = nextToken === undefined ? undefined : nextLink(selfUrl, nextToken);
  const body = renderFeed({ rows, nextUrl }, { ...answerContext(hub, request), selfUrl });
  const type = generation === 2022 ? 'application/atom+xml; type=feed; charset=utf-8' : 'application/xml';
  const headers: Record<string, string> = { 'Content-Type': type };
  // The header is percent-encoded already, as recorded: clients put it into the next query as it is.
  if (nextToken !== undefined) headers['x-ms-continuationtoken'] = encodeURIComponent(nextToken);
  return { status: 200, headers, body };
}

function readPage(hub: Hub, { parameters }: HubRequest, tag: string, top: number): Page {
  const filter = parameters.get('$filter');
  const start = parseToken(decodeToken(parameters.get('continuationtoken')));
  const selected = filter === undefined ? (tag === '' ? undefined : hub.listedWithTag(tag)) : findByHandle(hub, filter);
  const offset = start.after === undefined || selected !== undefined ? start.offset : hub.offsetAfter(start.after);
  const rows: Row[] = [];
  let skipped = 0;
  for (const row of selected ?? hub.listed(offset)) {
    if (selected !== undefined && skipped < offset) skipped += 1;
    else if (rows.push(row) > top) break;
  }
  const last = rows[top - 1];
  if (rows.length <= top || last === undefined) return { rows, nextToken: undefined };
  rows.pop();
  const isByOffset = selected !== undefined || hub.switches.listOffsetTokens;
  return { rows, nextToken: isByOffset ? `31(n);${offset + top}` : `31(k);${last.platform};${last.id}` };
}

/** Takes the token as it came in the header and as the JavaScript SDK sends it, encoded once more; none is the start. */
function decodeToken(given: string | undefined): string {
  if (given === undefined || given === '') return '31(n);0';
  return Buffer.from(given.replaceAll(/%3d/gi, '='), 'base64').toString();
}

/** An empty page's token has a mark behind, so that it differs from the one before. */
function parseToken(marked: string): { offset: number; after?: Pick<Row, 'platform' | 'id'> } {
  const text = marked.replace(/(;empty)+$/, '');
  const offset = /^31\(n\);(\d+)$/.exec(text)?.[1];
  if (offset !== undefined) return { offset: Number(offset) };
  const [, name, id] = /^31\(k\);(\w+);(.+)$/.exec(text) ?? [];
  const platform = platforms.find((each) => each.name === name)?.name;
  if (platform === undefined || id === undefined) throw new ServiceError(400, 'The continuation token is invalid.');
  return { offset: 0, after: { platform, id } };
}

/**
 * `ChannelUri eq 'x'` for every platform, or the platform's own fields joined by `and`. Takes the JavaScript SDK's
 * faults too: an opening quote left out (Baidu), a value encoded twice (Windows, Browser).
 */
function findByHandle(hub: Hub, filter: string): Iterable<Row> {
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
  const platformName = any === undefined ? own?.name : undefined;
  const rows = new RowList();
  for (const handle of new Set([wanted, wanted.toUpperCase(), decodeAgain(wanted)])) {
    for (const row of hub.rowsOfHandle(handle)) {
      if (platformName === undefined || row.platform === platformName) rows.put(row);
    }
  }
  return rows.from();
}

function create({ hub, request }: RouteContext): HubResponse {
  return written(hub, request, hub.createRegistration(parseBody(hub, request)));
}

function put({ hub, request, key }: RouteContext): HubResponse {
  const row = hub.putRegistration(key, parseBody(hub, request), request.headers['if-match']);
  return written(hub, request, row);
}

function parseBody(hub: Hub, request: HubRequest): ReturnType<typeof toRowContent> {
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
  const context = { ...answerContext(hub, request), hubUrl: `http://${request.host}/${hub.name}` };
  const headers: Record<string, string> = { 'Content-Type': 'application/atom+xml; type=entry; charset=utf-8' };
  if (context.generation === 2022) {
    headers['ETag'] = `W/"${row.etag}"`;
    headers['Content-Location'] = entryUrl(row, context, true);
  }
  return { status: 200, headers, body: renderEntry(row, context, true) };
}

function answerContext(hub: Hub, { host, query }: HubRequest): AnswerContext {
  return { generation: hub.switches.generation, hubUrl: `http://${host}/${hub.name}`, query };
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
