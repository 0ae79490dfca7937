import type { Octets } from '../../core/bytes/utf8.ts';

const TEXT = '[^<&\\]]*(?:&amp;[^<&\\]]*)*';
const VALUE = '[^<&"]*(?:&(?:amp|quot);[^<&"]*)*';
const ATOM = 'xmlns="http://www\\.w3\\.org/2005/Atom"';
const METADATA = 'xmlns:\\1="http://schemas\\.microsoft\\.com/ado/2007/08/dataservices/metadata"';
const CONNECT = 'xmlns="http://schemas\\.microsoft\\.com/netservices/2010/10/servicebus/connect"';
const INSTANCE = 'xmlns:i="http://www\\.w3\\.org/2001/XMLSchema-instance"';

/** The beginning of a page as both generations of the service write it, up to the first entry. */
const FEED_START = new RegExp(
  `<feed ${ATOM}><title type="text">Registrations</title><id>${TEXT}</id><updated>${TEXT}</updated>(?:<link rel="(?:self|next)" href="${VALUE}" ?/>)*`,
  'y',
);
/** An entry as they write it, up to the description. */
const ENTRY_START = new RegExp(
  `<entry (a|p2):etag="${VALUE}" ${METADATA}><id>${TEXT}</id><title type="text">${TEXT}</title><published>${TEXT}</published><updated>${TEXT}</updated><link rel="self" href="${VALUE}" ?/><content type="application/xml">(?=<([A-Za-z]\\w*RegistrationDescription) (?:${CONNECT} ${INSTANCE}|${INSTANCE} ${CONNECT})>)`,
  'y',
);
const ENTRY_END = '</content></entry>';
const FEED_END = '</feed>';
/** What precedes a name that uses the prefix an entry declares. */
const USES = { a: /[<\s"']a:/, p2: /[<\s"']p2:/ } as const;

export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the descriptions are in a page that is written as the service writes it: such a page is well-formed by its
 * form, and what declares namespaces around a description is not used inside it. `undefined` for any other page: the
 * general reader takes ten times as long, and finds the fault if there is one. Read entry by entry: a text of a whole
 * page is too large for V8's young generation, and costs more than everything else here.
 */
export function readUsualPage(page: Buffer): Bounds[] | undefined {
  let at = page.indexOf('<entry ');
  if (at === -1) at = page.length - FEED_END.length;
  const start = page.toString('latin1', 0, at);
  FEED_START.lastIndex = 0;
  if (!FEED_START.test(start) || FEED_START.lastIndex !== start.length) return undefined;
  const found: Bounds[] = [];
  while (at < page.length - FEED_END.length) {
    // What looks like an entry's end inside a description makes the page an unusual one.
    const end = page.indexOf(ENTRY_END, at) + ENTRY_END.length;
    if (end < at) return undefined;
    const bounds = readUsualEntry(page.toString('latin1', at, end));
    if (bounds === undefined) return undefined;
    found.push({ start: at + bounds.start, end: at + bounds.end });
    at = end;
  }
  return page.toString('latin1', at) === FEED_END ? found : undefined;
}

function readUsualEntry(entry: Octets): Bounds | undefined {
  ENTRY_START.lastIndex = 0;
  const [, prefix, name] = ENTRY_START.exec(entry) ?? [];
  if ((prefix !== 'a' && prefix !== 'p2') || name === undefined) return undefined;
  const start = ENTRY_START.lastIndex;
  const end = endOf(entry, start, name);
  if (end === undefined || end + ENTRY_END.length !== entry.length) return undefined;
  return USES[prefix].test(entry.slice(start, end)) ? undefined : { start, end };
}

/** Where the description that begins at `start` ends, unless what looks like its end could be something else. */
export function endOf(xml: string, start: number, qualifiedName: string): number | undefined {
  const close = `</${qualifiedName}>`;
  const found = xml.indexOf(close, start);
  if (found === -1) return undefined;
  const end = found + close.length;
  const text = xml.slice(start, end);
  if (!text.includes('<!')) return text.includes('<?') ? undefined : end;
  const isInCdata = text.lastIndexOf('<![CDATA[') > text.lastIndexOf(']]>');
  return isInCdata || text.includes('<!--') || text.includes('<?') ? undefined : end;
}
