import type { Row } from './row.ts';
import type { HubSwitches } from './switches.ts';
import { element, escapeAttribute, escapeText } from './xml-text.ts';

/** Where and in which dialect an answer is written. */
export interface AnswerContext {
  readonly generation: HubSwitches['generation'];
  /** `http://host:port/hub`, as the client wrote it. */
  readonly hubUrl: string;
  /** Query of the request with its `?`, or empty; the service repeats it in every link. */
  readonly query: string;
  /** When it is written. */
  readonly at: Date;
}

export const atom = 'http://www.w3.org/2005/Atom';
export const connect = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
export const instance = 'http://www.w3.org/2001/XMLSchema-instance';
/** Rows to one part of a body: small enough that V8 never treats a part as a large object. */
const groupRows = 10;
const metadata = 'http://schemas.microsoft.com/ado/2007/08/dataservices/metadata';

/** The description as a list or a read shows it (`isWrite`: as the answer to a write does, without time zone). */
export function renderDescription(row: Row, generation: HubSwitches['generation'], isWrite = false): string {
  const name = `${row.shownAs ?? row.platform}${row.isTemplate ? 'Template' : ''}RegistrationDescription`;
  const namespaces =
    generation === 2022 ? `xmlns="${connect}" xmlns:i="${instance}"` : `xmlns:i="${instance}" xmlns="${connect}"`;
  const tags = row.tags === '' ? '' : element('Tags', row.tags);
  const expires = renderExpiry(row, generation, isWrite);
  return `<${name} ${namespaces}><ETag>${row.etag}</ETag><ExpirationTime>${expires}</ExpirationTime><RegistrationId>${escapeText(row.id)}</RegistrationId>${tags}${row.content}</${name}>`;
}

export function renderFeed(
  page: { readonly rows: readonly Row[]; readonly nextUrl: string | undefined },
  context: AnswerContext & { readonly selfUrl: string },
): string[] {
  const { generation, hubUrl } = context;
  const now = seconds(context.at);
  const isOld = generation === 2022;
  const slash = isOld ? '/' : ' /';
  const prefix = isOld ? 'a' : 'p2';
  // A list by tag has its entries below the tag's own path.
  const collection = escapeAttribute(isOld ? context.selfUrl.replace(/\?.*$/s, '') : `${hubUrl}/resources`);
  const query = escapeAttribute(context.query);
  const self = isOld ? escapeAttribute(context.selfUrl) : `${collection}${query}`;
  const dates = `</title><published>${now}</published><updated>${now}</updated><link rel="self" href="${collection}/`;
  const parts = [
    `<feed xmlns="${atom}"><title type="text">Registrations</title><id>${self}</id><updated>${now}</updated><link rel="self" href="${self}"${slash}>`,
  ];
  if (page.nextUrl !== undefined) parts.push(`<link rel="next" href="${escapeAttribute(page.nextUrl)}"${slash}>`);
  for (const row of page.rows) {
    const id = escapeAttribute(row.id);
    const head = `<entry ${prefix}:etag="W/&quot;${row.etag}&quot;" xmlns:${prefix}="${metadata}"><id>${collection}/${id}${query}</id><title type="text">${id}${dates}${id}${query}"${slash}><content type="application/xml">`;
    parts.push(`${head}${renderDescription(row, generation)}</content></entry>`);
  }
  parts.push('</feed>');
  const groups: string[] = [];
  for (let at = 0; at < parts.length; at += groupRows) groups.push(parts.slice(at, at + groupRows).join(''));
  return groups;
}

/** One registration as answer to a read or a write. */
export function renderEntry(row: Row, context: AnswerContext, isWrite: boolean): string {
  const isOld = context.generation === 2022;
  const now = seconds(context.at);
  const url = escapeAttribute(entryUrl(row, context, isWrite));
  const attributes = isOld
    ? `a:etag="W/&quot;${row.etag}&quot;" xmlns="${atom}" xmlns:a="${metadata}"`
    : `p1:etag="W/&quot;${row.etag}&quot;" xmlns:p1="${metadata}" xmlns="${atom}"`;
  const description = renderDescription(row, context.generation, isWrite);
  return `<entry ${attributes}><id>${url}</id><title type="text">${escapeText(row.id)}</title><published>${now}</published><updated>${now}</updated><link rel="self" href="${url}"${isOld ? '/' : ' /'}><content type="application/xml">${description}</content></entry>`;
}

export function entryUrl(row: Row, { generation, hubUrl, query }: AnswerContext, isWrite: boolean): string {
  return `${hubUrl}/${generation === 2022 || isWrite ? 'registrations' : 'resources'}/${encodeURIComponent(row.id)}${query}`;
}

/** `2018-11-07T00:18:28Z` */
export function seconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** "Never" has three digits for a plain registration of the old generation, seven else, and no zone in the answer to a write; all as recorded. */
function renderExpiry(row: Row, generation: HubSwitches['generation'], isWrite: boolean): string {
  const digits = generation === 2022 && row.installationId === undefined ? '999' : '9999999';
  return row.expiresAt ?? `9999-12-31T23:59:59.${digits}${isWrite ? '' : 'Z'}`;
}
