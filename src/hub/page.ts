import { DrError } from '../core/errors.ts';

const contentTag = /<content\b[^>]*>\s*/y;
const elementName = /<([^\s<>/]+)/y;

/**
 * The registration descriptions of an Atom feed, each cut out verbatim: in every recording a description declares its
 * own namespaces. Throws `HubMisbehaves` (retryable) for a feed that is cut short or malformed, and `HubNotFound` for
 * the listing of public services a namespace answers with when it has no such hub (service-facts 1.8).
 */
export function readPage(body: string): string[] {
  const feed = body.trimEnd();
  if (!feed.endsWith('</feed>') && !/<feed\b[^>]*\/>$/.test(feed)) throw malformed('is cut short');
  const rows: string[] = [];
  let at = feed.indexOf('<entry');
  while (at !== -1) {
    const { start, end } = descriptionAfter(feed, at);
    rows.push(feed.slice(start, end));
    const close = feed.indexOf('</entry>', end);
    at = feed.indexOf('<entry', end);
    if (close === -1 || (at !== -1 && at < close)) throw malformed('has an entry that does not end');
  }
  if (rows.length === 0 && feed.includes('Publicly Listed Services')) {
    throw new DrError('HubNotFound', 'The namespace has no hub of that name. Check the hub name setting.');
  }
  return rows;
}

/** The bounds of the one description in the entry that starts at `entryAt`. */
function descriptionAfter(feed: string, entryAt: number): { start: number; end: number } {
  const contentAt = feed.indexOf('<content', entryAt);
  const entryEnd = feed.indexOf('</entry>', entryAt);
  if (contentAt === -1 || entryEnd === -1 || entryEnd < contentAt)
    throw malformed('has an entry without a description');
  contentTag.lastIndex = contentAt;
  if (contentTag.exec(feed) === null) throw malformed('has a malformed entry');
  const start = contentTag.lastIndex;
  elementName.lastIndex = start;
  const name = elementName.exec(feed)?.[1];
  if (name === undefined) throw malformed('has an entry without a description');
  const end = endOfElement(feed, start, name);
  if (!/^\s*<\/content>/.test(feed.slice(end, end + 64)))
    throw malformed('has an entry with more than one description');
  return { start, end };
}

/** The end of the element that starts at `start`, found by its end tag outside CDATA sections and comments. */
function endOfElement(feed: string, start: number, name: string): number {
  const close = `</${name}>`;
  let at = start;
  for (;;) {
    const end = feed.indexOf(close, at);
    if (end === -1) throw malformed('is cut short');
    const section = firstSection(feed, at, end);
    if (section === undefined) return end + close.length;
    const sectionEnd = feed.indexOf(section.close, section.at);
    if (sectionEnd === -1) throw malformed('is cut short');
    at = sectionEnd + section.close.length;
  }
}

function firstSection(feed: string, from: number, to: number): { at: number; close: string } | undefined {
  const cdata = within(feed.indexOf('<![CDATA[', from), to);
  const comment = within(feed.indexOf('<!--', from), to);
  if (cdata === undefined && comment === undefined) return undefined;
  if (comment === undefined || (cdata !== undefined && cdata < comment)) return { at: cdata ?? from, close: ']]>' };
  return { at: comment, close: '-->' };
}

function within(at: number, limit: number): number | undefined {
  return at === -1 || at > limit ? undefined : at;
}

function malformed(what: string): DrError {
  return new DrError('HubMisbehaves', `A page of the hub's listing ${what}. Nothing of it was used.`, {
    retryable: true,
  });
}
