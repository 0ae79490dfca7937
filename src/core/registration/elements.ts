import { readXml, type XmlElement } from '../xml/element.ts';
import { misread, type XmlSource } from '../xml/misread.ts';

/** One complete description. */
interface Elements {
  readonly rootName: string;
  /** `AppleTemplateRegistrationDescription` and so on. */
  readonly type: string;
  /** In document order. */
  readonly elements: readonly XmlElement[];
}

/** A row is read for what it is, for its canonical form and for a write, one right after another. */
let last: { readonly xml: string; readonly read: Elements } | undefined;

/** The namespaces that a description declares. */
export const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
export const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

/** A text as it is written between tags. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Reads one complete description, which must hold its own namespace declarations and no XML declaration. */
export function readElements(xml: string): Elements {
  if (last?.xml === xml) return last.read;
  const root = readXml(xml, DESCRIPTION);
  if (root.text.trim() !== '') throw misread(DESCRIPTION, 'it holds text instead of elements');
  const read = { rootName: root.name, type: root.type ?? root.name, elements: root.children };
  last = { xml, read };
  return read;
}

/** What an element says, apart from where and how it is written. */
export interface Content extends Pick<XmlElement, 'name' | 'text' | 'attributes'> {
  readonly children: readonly Content[];
}

/** The text of the element called `name`; absent, nil and empty are all `undefined`. Throws when there are two. */
export function textOf(elements: readonly XmlElement[], name: string): string | undefined {
  let found: XmlElement | undefined;
  for (const element of elements) {
    if (element.name !== name) continue;
    if (found !== undefined) throw misread(DESCRIPTION, `element '${name}' appears twice`);
    if (element.children.length > 0) throw misread(DESCRIPTION, `element '${name}' holds elements`);
    found = element;
  }
  return found === undefined || found.text === '' ? undefined : found.text;
}

/** Takes `AppleTemplateRegistrationDescription` apart: `Apple`, `FcmV1`, ...; unknown platforms as they come. */
export function kindOf(type: string) {
  const kind = cutEnd(type, 'RegistrationDescription');
  const platform = cutEnd(kind, 'Template');
  if (kind === type || platform === '') throw misread(DESCRIPTION, 'its root names no kind of registration');
  return { platform, isTemplate: platform !== kind };
}

function cutEnd(text: string, end: string): string {
  return text.endsWith(end) ? text.slice(0, -end.length) : text;
}

/** The device's address at its push service, in the one spelling by which two rows of a device are known as such. */
export function readHandle(platform: string, elements: readonly XmlElement[]): string {
  const names = handleElements.get(platform) ?? [firstUnknown(elements)];
  const [first = '', ...others] = names.map((name) => handlePart(platform, elements, name));
  return others.reduce(joinHandle, first);
}

/**
 * The two parts of a Baidu handle as one: `userId-channelId`, as the installation API has it, but for a user id with a
 * hyphen, of which two devices would have one.
 */
export function joinHandle(userId: string, channelId: string): string {
  return `${userId.replaceAll('%', '%25').replaceAll('-', '%2D')}-${channelId}`;
}

/** As the installation API has it. */
export function asJoinedByHub(handle: string): string {
  const end = handle.indexOf('-');
  return handle.slice(0, end).replaceAll('%2D', '-').replaceAll('%25', '%') + handle.slice(end);
}

/** One spelling for a handle: Apple tokens are hexadecimal, sent in lower case and returned in upper case. */
export function canonicalHandle(platform: string, handle: string): string {
  return platform === 'Apple' ? handle.trim().toUpperCase() : handle.trim();
}

/** The elements that hold the handle, by platform (`service-facts` 1.5, from the contract of the .NET SDK). */
export function isHandleElement(platform: string, name: string): boolean {
  return handleElements.get(platform)?.includes(name) === true;
}

/** What the messages call it. */
export const DESCRIPTION: XmlSource = { what: 'A registration description', isRetryable: false, mayBeDeclared: false };

/** The elements that are the handle, by platform. */
export const handleElements: ReadonlyMap<string, readonly string[]> = new Map([
  ['Adm', ['AdmRegistrationId']],
  ['Apple', ['DeviceToken']],
  ['Baidu', ['BaiduUserId', 'BaiduChannelId']],
  ['Browser', ['Endpoint']],
  ['FcmV1', ['FcmV1RegistrationId']],
  ['Gcm', ['GcmRegistrationId']],
  ['Mpns', ['ChannelUri']],
  ['Windows', ['ChannelUri']],
  ['Xiaomi', ['XiaomiRegistrationId']],
]);

/** Elements that can occur in the description of any platform and are never its handle. */
const commonElements: ReadonlySet<string> = new Set([
  'ETag',
  'ExpirationTime',
  'RegistrationId',
  'Tags',
  'PushVariables',
  'SecondaryTileName',
  'BodyTemplate',
  'TemplateName',
  'Expiry',
  'Priority',
  'MessageType',
]);

function handlePart(platform: string, elements: readonly XmlElement[], name: string): string {
  const handle = canonicalHandle(platform, textOf(elements, name) ?? '');
  if (handle === '') throw misread(DESCRIPTION, `element '${name}' is missing or empty`);
  return handle;
}

/** Every known contract puts the handle first after the common elements: a new platform will too. */
function firstUnknown(elements: readonly XmlElement[]): string {
  const candidate = elements.find(
    ({ name, text }) => text.trim() !== '' && !commonElements.has(name) && !name.startsWith('{'),
  );
  if (candidate === undefined) throw misread(DESCRIPTION, 'it has no handle');
  return candidate.name;
}
