import { DrError } from './errors.ts';
import { childrenOf, decodeText, openRoot, readElement, type XmlElement } from './registration-xml.ts';

/** One row of a hub: what the app needs to know of it, and the XML it came as. */
export interface Registration {
  /** Verbatim as the hub gave it: elements the app does not know are carried, not lost. */
  readonly xml: string;
  readonly id: string;
  readonly etag: number;
  /** As written, zone or not; absent when the row has none. */
  readonly expirationTime: string | undefined;
  readonly tags: readonly string[];
  /** `Apple`, `FcmV1`, …; a platform the app does not know is kept as it comes. */
  readonly platform: string;
  readonly isTemplate: boolean;
  /** The device's address, in the form in which equal devices are equal: Apple tokens upper-case, Baidu `user-channel`. */
  readonly handle: string;
  readonly templateName: string | undefined;
  readonly tileName: string | undefined;
}

/** Set by the hub on every write, so neither sent to it nor compared. */
const hubOwned: ReadonlySet<string> = new Set(['ETag', 'ExpirationTime', 'RegistrationId']);

const handleElements: Readonly<Record<string, readonly string[]>> = {
  Windows: ['ChannelUri'],
  Mpns: ['ChannelUri'],
  Apple: ['DeviceToken'],
  Gcm: ['GcmRegistrationId'],
  FcmV1: ['FcmV1RegistrationId'],
  Adm: ['AdmRegistrationId'],
  Baidu: ['BaiduUserId', 'BaiduChannelId'],
  Browser: ['Endpoint'],
  Xiaomi: ['XiaomiRegistrationId'],
};

/**
 * Reads one registration description (service-facts 1.5), in either root form: `{Kind}RegistrationDescription` or
 * `<RegistrationDescription i:type="{Kind}RegistrationDescription">`. Throws `HubMisbehaves` naming the element,
 * never a value.
 */
export function parseRegistration(xml: string): Registration {
  const root = openRoot(xml);
  const { platform, isTemplate } = readType(root.type);
  const wanted = handleElements[platform];
  const values: Record<string, string> = {};
  const handleParts: string[] = [];
  for (const child of childrenOf(xml, root)) {
    if (wanted === undefined ? isUnknownHandle(child.name, handleParts) : wanted.includes(child.name)) {
      handleParts.push(decodeText(xml, child));
    } else if (isPlainField(child.name)) {
      values[child.name] = decodeText(xml, child);
    }
  }
  const id = values['RegistrationId']?.trim();
  if (!id) throw malformed('has no RegistrationId');
  if (handleParts.length < (wanted?.length ?? 1) || handleParts.some((part) => part.trim() === '')) {
    throw malformed(`of type ${platform} has no device handle`);
  }
  const handle = handleParts.map((part) => part.trim()).join('-');
  return {
    xml,
    id,
    etag: Number.parseInt(values['ETag'] ?? '0', 10) || 0,
    expirationTime: values['ExpirationTime']?.trim() || undefined,
    tags: splitTags(values['Tags']),
    platform,
    isTemplate,
    handle: platform === 'Apple' ? handle.toUpperCase() : handle,
    templateName: values['TemplateName'] || undefined,
    tileName: values['SecondaryTileName'] || undefined,
  };
}

/** The same description without what the hub owns; everything else byte for byte and in order. */
export function descriptionForWrite(xml: string): string {
  let kept = '';
  let from = 0;
  for (const child of childrenOf(xml, openRoot(xml))) {
    if (!hubOwned.has(child.name)) continue;
    kept += xml.slice(from, child.start);
    from = child.end;
  }
  return kept + xml.slice(from);
}

/** All elements of a description, in order, with their text decoded. `type` is the kind in full. */
export function readElements(xml: string): { readonly type: string; readonly elements: readonly XmlElement[] } {
  const root = openRoot(xml);
  const elements = [...childrenOf(xml, root)].map((child) => readElement(xml, child));
  return { type: root.type, elements };
}

/**
 * A form in which two rows are equal exactly when they are the same registration to a device: what the hub owns,
 * element order, prefixes, CDATA against escapes, tag order and case, and header order do not count. Absent, empty
 * and nil elements are one. Line ends are those an XML parser reports (`\r\n` is `\n`).
 */
export function canonicalRow(xml: string): string {
  const { type, elements } = readElements(xml);
  const parts = elements
    .filter((element) => !hubOwned.has(element.name))
    .map((element) => [element.name, canonicalValue(element, type)] as const)
    .filter(([, value]) => value !== '')
    .map((part) => JSON.stringify(part))
    .sort();
  return `${type}${parts.join('')}`;
}

const installationTag = /^\$InstallationId:\{(.*)\}$/is;
const userTag = /^\$UserId:\{(.*)\}$/is;

/** The id in `$InstallationId:{…}`, by which rows of an installation are known. */
export function installationIdOf(tags: readonly string[]): string | undefined {
  return firstMatch(tags, installationTag);
}

export function userIdOf(tags: readonly string[]): string | undefined {
  return firstMatch(tags, userTag);
}

function firstMatch(tags: readonly string[], pattern: RegExp): string | undefined {
  for (const tag of tags) {
    if (!tag.startsWith('$')) continue;
    const value = pattern.exec(tag)?.[1];
    if (value) return value;
  }
  return undefined;
}

function isPlainField(name: string): boolean {
  return hubOwned.has(name) || name === 'Tags' || name === 'TemplateName' || name === 'SecondaryTileName';
}

/** Of a platform the app does not know, the first element beyond the common ones is taken for the handle. */
function isUnknownHandle(name: string, found: readonly string[]): boolean {
  return found.length === 0 && !isPlainField(name) && name !== 'PushVariables';
}

const typePattern = /^(.+?)(Template)?RegistrationDescription$/;

function readType(type: string): { platform: string; isTemplate: boolean } {
  const match = typePattern.exec(type);
  if (match?.[1] === undefined) throw malformed('has a root that is not a registration description');
  return { platform: match[1], isTemplate: match[2] !== undefined };
}

function splitTags(text: string | undefined): string[] {
  if (text === undefined) return [];
  return text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

function canonicalValue(element: XmlElement, type: string): string {
  if (element.isNil) return '';
  if (element.children.length > 0) return canonicalChildren(element);
  switch (element.name) {
    case 'Tags':
      return [...new Set(splitTags(element.text).map((tag) => tag.toLowerCase()))].sort().join(',');
    case 'PushVariables':
      return canonicalJson(element.text);
    case 'DeviceToken':
      return type.startsWith('Apple') ? element.text.trim().toUpperCase() : element.text;
    default:
      return element.text.trim() === '' ? '' : element.text;
  }
}

/** Header collections are sets by header name; other nested elements the app does not know keep their order. */
function canonicalChildren(element: XmlElement): string {
  const forms = element.children.map((child) => {
    const header = child.children.find((part) => part.name === 'Header')?.text;
    if (header === undefined) return JSON.stringify([child.name, canonicalValue(child, '')]);
    const value = child.children.find((part) => part.name === 'Value')?.text ?? '';
    return JSON.stringify([header.toLowerCase(), value]);
  });
  return /Headers$/.test(element.name) ? forms.sort().join('') : forms.join('');
}

function canonicalJson(text: string): string {
  if (text.trim() === '') return '';
  try {
    return JSON.stringify(sortKeys(JSON.parse(text)));
  } catch {
    // Not JSON: compared as it stands.
    return text;
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, sortKeys(inner)]);
}

function malformed(what: string): DrError {
  return new DrError('HubMisbehaves', `A registration ${what}: this is not what Notification Hubs is known to answer.`);
}
