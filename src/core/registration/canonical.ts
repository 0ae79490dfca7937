import { compareText } from '../bytes/search.ts';
import { type Content, canonicalHandle, isHandleElement, kindOf, readElements } from './elements.ts';
import { REPAIR_TAG, splitTags } from './tags.ts';
import { readDescription } from './usual.ts';

/**
 * A text that is equal for two descriptions exactly when they are the same registration to a device.
 *
 * Ignored: `ETag`, `ExpirationTime`, `RegistrationId`, element order, namespace prefixes, the root's form, CDATA or
 * escapes, nil or empty or absent, the order and letter case of tags, the case of Apple tokens, the order of headers
 * and the case of their names, white space and key order in push variables, and the tag that this app once left. Bodies count as an XML parser reports
 * them: what the hub stored with `\r\n` outside a reference is `\n` to any parser, so it is here.
 */
export function canonicalRow(xml: string): string {
  return canonicalForm(readDescription(xml));
}

/** `canonicalRow` for any description. */
export function canonicalAnyRow(xml: string): string {
  return canonicalForm(readElements(xml));
}

/** `canonicalRow` for a description that was read. */
export function canonicalForm({ type, elements }: ReturnType<typeof readDescription>): string {
  const { platform } = kindOf(type);
  const fields = toFields(elements, (element) => canonicalField(platform, element));
  return JSON.stringify([type, fields.sort(byName)]);
}

type Canonical = string | readonly Canonical[];
type Field = readonly [name: string, value: Canonical];

/** The elements that say something, with what they say. */
function toFields(elements: readonly Content[], read: (element: Content) => Canonical | undefined): Field[] {
  const fields: Field[] = [];
  for (const element of elements) {
    const value = read(element);
    if (value !== undefined) fields.push([element.name, value]);
  }
  return fields;
}

function canonicalField(platform: string, element: Content): Canonical | undefined {
  const { name, text } = element;
  switch (name) {
    case 'ETag':
    case 'ExpirationTime':
    case 'RegistrationId':
      return undefined;
    case 'Tags':
      return text === '' ? undefined : canonicalTags(text);
    case 'PushVariables':
      return text === '' ? undefined : canonicalVariables(text);
    case 'ApnsHeaders':
    case 'MpnsHeaders':
    case 'WnsHeaders':
      return element.children.length === 0 ? undefined : canonicalHeaders(element.children);
    default:
      return isHandleElement(platform, name) ? canonicalHandle(platform, text) : canonicalContent(element);
  }
}

function canonicalTags(text: string): Canonical | undefined {
  const tags = new Set(splitTags(text.toLowerCase()));
  tags.delete(REPAIR_TAG);
  return tags.size === 0 ? undefined : [...tags].sort();
}

/** Push variables are a dictionary of texts; anything else is compared as it is written. */
function canonicalVariables(text: string): Canonical | undefined {
  const entries = readDictionary(text);
  if (entries === undefined) return text;
  return entries.length === 0 ? undefined : entries.sort(byName);
}

function readDictionary(text: string): Field[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries: [string, unknown][] = Object.entries(value);
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string') ? entries : undefined;
  } catch {
    // Not JSON: the caller compares the text.
    return undefined;
  }
}

function canonicalHeaders(headers: readonly Content[]): Canonical {
  return headers
    .map(({ name, children }) => JSON.stringify([name, toFields(children, canonicalHeaderPart).sort(byName)]))
    .sort();
}

function canonicalHeaderPart(part: Content): Canonical | undefined {
  return part.name === 'Header' ? part.text.toLowerCase() : canonicalContent(part);
}

/** Any element: its text, or what it is made of, in order. Attributes count because nothing known has any. */
function canonicalContent(element: Content): Canonical | undefined {
  const { attributes, children, text } = element;
  if (attributes.length === 0 && children.length === 0) return text === '' ? undefined : text;
  const parts = attributes.map(({ name, value }): Field => [`@${name}`, value]).sort(byName);
  parts.push(...toFields(children, canonicalContent));
  if (text !== '') parts.push(['', text]);
  return parts.length === 0 ? undefined : parts;
}

/** Stable, so that elements of one name keep their order. */
function byName(a: Field, b: Field): number {
  return compareText(a[0], b[0]);
}
