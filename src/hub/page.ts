import { isUtf8 } from 'node:buffer';
import { DrError } from '../core/errors.ts';
import { type Binding, type Cursor, createCursor } from '../core/xml/cursor.ts';
import { completeElement, type OpenTag, readCloseTag, readOpenTag, skipMisc } from '../core/xml/description.ts';
import { misread, type XmlSource } from '../core/xml/text.ts';
import { endOf, readUsualPage } from './usual-page.ts';

/**
 * Slices every registration description out of a page of the listing (an atom feed), verbatim: one piece of `body` an
 * entry, in the feed's order. All or nothing: a truncated or malformed page throws `HubMisbehaves` (retryable). What is
 * inside a description is left to `parseRegistration`. The feed with which the service answers for a hub that does not
 * exist throws `HubNotFound`.
 */
export function readPage(body: Uint8Array): Uint8Array[] {
  if (!isUtf8(body)) throw misread(FEED, 'it is not UTF-8');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const bounds = readUsualPage(bytes);
  if (bounds !== undefined) return bounds.map(({ start, end }) => bytes.subarray(start, end));
  return readAnyPage(utf8.decode(body)).map((xml) => Buffer.from(xml));
}

/** A byte order mark at the beginning is left out. */
const utf8 = new TextDecoder();

/** `readPage` for every page there can be, decoded. */
function readAnyPage(body: string): string[] {
  const cursor = createCursor(body, FEED);
  skipDeclaration(cursor);
  skipMisc(cursor);
  const feed = readOpenTag(cursor);
  if (feed.name !== 'feed' || cursor.rootNamespace !== ATOM) throw misread(FEED, 'it is not a feed');
  const rows: string[] = [];
  readChildren(cursor, feed, (child) => {
    if (child.name === 'entry') {
      rows.push(readEntry(cursor, child));
      return;
    }
    const { text } = completeElement(cursor, child);
    if (child.name === 'title' && text === TITLE_OF_NO_HUB) throw hubNotFound();
  });
  skipMisc(cursor);
  if (cursor.position !== body.length) throw misread(FEED, 'something follows its end', cursor.position);
  return rows;
}

const ATOM = 'http://www.w3.org/2005/Atom';

const FEED: XmlSource = { what: "A page of the hub's listing", isRetryable: true };

/** Recorded in 2020: asked for a hub it does not know, the service answers 200 with an empty feed of this title. */
const TITLE_OF_NO_HUB = 'Publicly Listed Services';

function hubNotFound(): DrError {
  return new DrError(
    'HubNotFound',
    'The namespace answered the listing, but has no hub of this name. Check the hub name setting.',
  );
}

function readEntry(cursor: Cursor, entry: OpenTag): string {
  let description: string | undefined;
  readChildren(cursor, entry, (child) => {
    if (child.name !== 'content') {
      completeElement(cursor, child);
      return;
    }
    cursor.outermostUse = Number.POSITIVE_INFINITY;
    readChildren(cursor, child, (root) => {
      if (description !== undefined) throw misread(FEED, 'an entry holds two registrations', root.start);
      description = readDescription(cursor, root);
    });
  });
  if (description === undefined) throw misread(FEED, 'an entry holds no registration', entry.start);
  return description;
}

function readDescription(cursor: Cursor, root: OpenTag): string {
  if (!root.qualifiedName.endsWith('RegistrationDescription')) {
    throw misread(FEED, 'an entry holds something else than a registration', root.start);
  }
  const inForce = cursor.bindings;
  const { start, end } = findEnd(cursor, root) ?? completeElement(cursor, root);
  const xml = cursor.xml.slice(start, end);
  return cursor.outermostUse < start ? carryNamespaces(xml, root, inForce) : xml;
}

/** The description's bounds where a search for its closing tag cannot mislead; else it has to be read. */
function findEnd(cursor: Cursor, root: OpenTag): { start: number; end: number } | undefined {
  const { start, qualifiedName } = root;
  const end = root.isClosed ? undefined : endOf(cursor.xml, start, qualifiedName);
  if (end === undefined || mayUseOuter(cursor, root, cursor.xml.slice(start, end))) return undefined;
  cursor.position = end;
  cursor.bindings = root.outerBindings;
  return { start, end };
}

/** Whether the description could use a declaration from outside it; a mere likeness counts. */
function mayUseOuter(cursor: Cursor, root: OpenTag, text: string): boolean {
  if (cursor.outermostUse < root.start) return true;
  return outerDeclarations(root, cursor.bindings).some(({ prefix }) => prefix === '' || text.includes(`${prefix}:`));
}

/** Puts into the description's tag what it may use of declarations outside it. No recording has such; XML allows it. */
function carryNamespaces(xml: string, root: OpenTag, inForce: Binding | undefined): string {
  const declarations = outerDeclarations(root, inForce).map(
    ({ prefix, namespace }) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(namespace)}"`,
  );
  const afterName = 1 + root.qualifiedName.length;
  return xml.slice(0, afterName) + declarations.join('') + xml.slice(afterName);
}

/** The declarations in force inside `root` that stand outside it. */
function outerDeclarations(root: OpenTag, inForce: Binding | undefined): Binding[] {
  const declarations: Binding[] = [];
  const seen: string[] = [];
  let isOwn = true;
  for (let binding = inForce; binding !== undefined; binding = binding.outer) {
    if (binding === root.outerBindings) isOwn = false;
    const { prefix, namespace } = binding;
    if (seen.includes(prefix)) continue;
    seen.push(prefix);
    if (!isOwn && namespace !== '') declarations.push(binding);
  }
  return declarations;
}

function escapeAttribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** Reads the elements inside `parent`, each handed over with its opening tag read, to be completed, and closes it. */
function readChildren(cursor: Cursor, parent: OpenTag, onChild: (child: OpenTag) => void): void {
  if (!parent.isClosed) {
    skipMisc(cursor);
    while (!cursor.xml.startsWith('</', cursor.position)) {
      onChild(readOpenTag(cursor));
      skipMisc(cursor);
    }
  }
  readCloseTag(cursor, parent);
}

const XML_DECLARATION =
  /<\?xml\s+version\s*=\s*(?:"1\.\d"|'1\.\d')(?:\s+encoding\s*=\s*(?:"[\w.-]+"|'[\w.-]+'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>/y;

function skipDeclaration(cursor: Cursor): void {
  XML_DECLARATION.lastIndex = 0;
  if (XML_DECLARATION.test(cursor.xml)) cursor.position = XML_DECLARATION.lastIndex;
}
