import { CONNECT, escaped, INSTANCE } from '../registration/elements.ts';

/** A root's tag with nothing but namespaces; the rest of the description, and its end. */
const OWN_ROOT = /^<(\w+RegistrationDescription)((?:\s+xmlns(?::i)?\s*=\s*"[^"]*")*)\s*>(.*)<\/\1>\s*$/s;

/**
 * A registration that is to be created as a line of an import file: in the base form, on one line, under `id` where the
 * job takes ids. `xml` is as it would be written, without an id of its own. `undefined` for what such a file is known or
 * feared not to take: tags that begin with `$`, another form than the service's own, line ends outside CDATA.
 */
export function importLine(xml: string, id?: string): string | undefined {
  const [, type, namespaces = '', inside = ''] = OWN_ROOT.exec(xml) ?? [];
  if (type === undefined || !hasUsualNamespaces(namespaces) || /<Tags>(?:[^<]*,)?\s*\$/.test(inside)) return undefined;
  const text = inside.replaceAll(/<!\[CDATA\[(.*?)\]\]>/gs, (_, body: string) => onOneLine(body));
  if (/[\r\n]|<!/.test(text) || (id !== undefined && !/^[\w.-]+$/.test(id))) return undefined;
  const head = `<RegistrationDescription xmlns:i="${INSTANCE}" i:type="${type}" xmlns="${CONNECT}">`;
  return `${head}${id === undefined ? '' : `<RegistrationId>${id}</RegistrationId>`}${text}</RegistrationDescription>`;
}

/** The same line without its id. */
export function withoutId(line: string): string {
  return line.replace(/<RegistrationId>[^<]*<\/RegistrationId>/, '');
}

function hasUsualNamespaces(attributes: string): boolean {
  const found = new Map(
    [...attributes.matchAll(/\s(xmlns(?::i)?)\s*=\s*"([^"]*)"/g)].map(([, name, url]) => [name, url]),
  );
  return found.get('xmlns') === CONNECT && (found.get('xmlns:i') ?? INSTANCE) === INSTANCE;
}

/** A text as a parser reads it, however it is written. */
function onOneLine(text: string): string {
  return escaped(text)
    .replaceAll(/\r\n?|\n/g, '&#xA;')
    .replaceAll('\t', '&#x9;');
}

/** What a job says of one line: the id it made it under, that it refused it, or nothing. */
export type LineResult = string;
export const UNTOLD: LineResult = '';
export const REFUSED: LineResult = '!';

export interface ImportResult {
  /** One of each line of the file. */
  readonly made: readonly LineResult[];
  /** How many lines it refused, by its words for it. */
  readonly refusals: Readonly<Record<string, number>>;
}

/**
 * What a job's two files say of the lines it was given, which are known to begin with the line's number and a comma, and
 * of which no genuine one was ever recorded: numbers may count from 0 or 1, and a result may be an id, or the
 * registration with it. `sentId`: under which id a line was sent. What is not understood is taken for nothing.
 */
export function readImportResult(
  { output, failed }: { readonly output: string; readonly failed: string },
  lineCount: number,
  sentId: (line: number) => string | undefined,
): ImportResult {
  const said = [...numberedLines(output)];
  const refused = [...numberedLines(failed)];
  const first = [...said, ...refused].some(([number]) => number === 0) ? 0 : 1;
  const made: LineResult[] = Array.from({ length: lineCount }, () => UNTOLD);
  for (const [number, text] of said) {
    const line = number - first;
    if (line < lineCount) made[line] = idIn(text, sentId(line)) ?? UNTOLD;
  }
  const refusals: Record<string, number> = {};
  for (const [number, text] of refused) {
    const line = number - first;
    if (line >= lineCount || made[line] === REFUSED) continue;
    made[line] = REFUSED;
    const why = reasonIn(text);
    refusals[why] = (refusals[why] ?? 0) + 1;
  }
  return { made, refusals };
}

function* numberedLines(text: string): Iterable<readonly [number: number, rest: string]> {
  for (const [, number, rest = ''] of text.matchAll(/^\uFEFF?\s*"?(\d{1,9})"?\s*[,;\t](.*)$/gm))
    yield [Number(number), rest];
}

/** An id of the service's own making has two or three numbers, the first of them large. */
const OWN_ID = /^\d{6,}-\d+(?:-\d+)?$/;

function idIn(text: string, sent: string | undefined): string | undefined {
  const element = /<(?:\w+:)?RegistrationId>([^<]+)</.exec(text)?.[1]?.trim();
  if (element !== undefined) return element;
  const fields = text.split(/[,;\t]/).map((field) => field.trim().replaceAll('"', ''));
  return fields.find((field) => field === sent || OWN_ID.test(field));
}

/** Only what is surely no part of a registration. */
function reasonIn(text: string): string {
  const words = text.split(',', 2).map((word) => word.trim());
  const isPlain = words.every((word) => /^[A-Za-z0-9 ]{1,40}$/.test(word));
  return isPlain ? words.join(', ') : 'no reason that can be shown';
}
