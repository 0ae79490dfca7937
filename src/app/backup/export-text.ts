import { CONNECT, INSTANCE } from '../../core/registration/elements.ts';

/** Of a registration, whatever comes between it and the one before: line ends, a byte order mark, a declaration. */
const START = /^(?:\s|\u00ef\u00bb\u00bf|<\?xml[^?]*\?>)*/;
/** The root's tag, prefix and all. */
const ROOT = /^<((?:\w+:)?\w*RegistrationDescription)[\s>]/;
/** No declaration or tag is longer. */
const HEAD_BYTES = 1024;

/** How the registrations of a kind begin and end in the file, and how in a snapshot. */
interface Form {
  readonly head: Uint8Array;
  readonly close: Uint8Array;
  /** Where that is another. */
  readonly own?: { readonly head: Uint8Array; readonly close: Uint8Array };
}

/** The file's few kinds of heads. A hostile file has no room for more. */
const MAX_FORMS = 100;
const forms = new Map<string, Form>();

/**
 * Cuts whole descriptions off the beginning of a text: a stream of XML documents, in either root form, on as many lines
 * as they like. Those in the base form get the root a list shows them with, where theirs has nothing else to say, so that
 * a snapshot of an export is like one of a listing. `end`: where the first that is not taken begins; `undefined` when
 * something else is there.
 */
export function cutDescriptions(text: Buffer, most: number): { rows: Uint8Array[]; end: number | undefined } {
  const rows: Uint8Array[] = [];
  let at = 0;
  while (rows.length < most) {
    const start = at + spaceBefore(text, at);
    if (start >= text.length) return { rows, end: start };
    const tagEnd = text.indexOf('>', start);
    if (tagEnd === -1) return { rows, end: text.length - start > HEAD_BYTES ? undefined : at };
    const form = formOf(text.toString('latin1', start, Math.min(tagEnd + 1, start + HEAD_BYTES)));
    // What is missing may be a part of a declaration.
    if (form === undefined)
      return { rows, end: text.length - start < HEAD_BYTES && text[start + 1] === QUESTION ? at : undefined };
    const end = endOf(text, tagEnd + 1, form.close);
    if (end === undefined) return { rows, end: at };
    const { own } = form;
    const inside = text.subarray(tagEnd + 1, end - form.close.length);
    rows.push(own === undefined ? text.subarray(start, end) : joined(own.head, inside, own.close));
    at = end;
  }
  return { rows, end: at };
}

const QUESTION = 0x3f;
const LESS = 0x3c;

function spaceBefore(text: Buffer, at: number): number {
  // Most follow one another, or a line feed.
  if (text[at] === LESS && text[at + 1] !== QUESTION) return 0;
  if (text[at] === 10 && text[at + 1] === LESS && text[at + 2] !== QUESTION) return 1;
  return START.exec(text.toString('latin1', at, at + HEAD_BYTES))?.[0].length ?? 0;
}

function formOf(tag: string): Form | undefined {
  const known = forms.get(tag);
  if (known !== undefined) return known;
  const name = ROOT.exec(tag)?.[1];
  if (name === undefined || !tag.endsWith('>') || tag.endsWith('/>')) return undefined;
  const type = name === 'RegistrationDescription' ? plainType(tag) : undefined;
  const form = {
    ...bounds(tag, name),
    ...(type === undefined ? {} : { own: bounds(`<${type} xmlns="${CONNECT}" xmlns:i="${INSTANCE}">`, type) }),
  };
  if (forms.size < MAX_FORMS) forms.set(tag, form);
  return form;
}

function bounds(head: string, name: string): Form {
  return { head: Buffer.from(head, 'latin1'), close: Buffer.from(`</${name}>`) };
}

/** The type of a base element that has nothing but it and the two namespaces. */
function plainType(tag: string): string | undefined {
  const attributes = [...tag.matchAll(/\s+([\w:]+)\s*=\s*"([^"]*)"/g)].map(([, name, value]) => [name, value] as const);
  const found = new Map(attributes);
  const type = found.get('i:type');
  const isPlain = found.size === 3 && found.get('xmlns') === CONNECT && found.get('xmlns:i') === INSTANCE;
  return isPlain && type !== undefined && /^\w+RegistrationDescription$/.test(type) ? type : undefined;
}

/** Where the description ends, if it is whole; what looks like its end in CDATA or a comment is none. */
function endOf(text: Buffer, from: number, close: Uint8Array): number | undefined {
  for (let searched = from; ; ) {
    const found = text.indexOf(close, searched);
    if (found === -1) return undefined;
    const open = openAtEndOf(text.subarray(from, found));
    if (open === undefined) return found + close.length;
    const over = text.indexOf(open, found);
    if (over === -1) return undefined;
    searched = over + open.length;
  }
}

/** What would end the CDATA or comment that is open at the end of a text. */
function openAtEndOf(text: Buffer): string | undefined {
  for (let at = 0; ; ) {
    const next = text.indexOf('<!', at);
    if (next === -1) return undefined;
    const end = text.toString('latin1', next, next + 4) === '<!--' ? '-->' : ']]>';
    const closed = text.indexOf(end, next + 4);
    if (closed === -1) return end;
    at = closed + end.length;
  }
}

function joined(head: Uint8Array, inside: Uint8Array, close: Uint8Array): Uint8Array {
  const row = new Uint8Array(head.length + inside.length + close.length);
  row.set(head);
  row.set(inside, head.length);
  row.set(close, head.length + inside.length);
  return row;
}
