import { SaxesParser, type SaxesTagNS } from 'saxes';
import { type PlatformSpec, parseDescriptionName } from './platforms.ts';
import type { Description } from './row.ts';
import { invalidDescription, ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';
import { escapeAttribute, escapeText } from './xml-text.ts';

type InputSwitches = Pick<HubSwitches, 'outOfOrderElements' | 'unknownElements'> &
  Partial<Pick<HubSwitches, 'strictBodies'>>;

const instanceNamespace = 'http://www.w3.org/2001/XMLSchema-instance';
const connectNamespace = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
/** Given by the service; what a client sends for them is not looked at. */
const serviceOwned = ['ETag', 'ExpirationTime', 'RegistrationId'];

/** One node of the small tree a request body is read into. */
interface XmlNode {
  readonly tag: SaxesTagNS;
  readonly children: XmlNode[];
  text: string;
}

/**
 * Reads the description out of an Atom entry, in both forms: `<AppleRegistrationDescription>` and
 * `<RegistrationDescription i:type="AppleRegistrationDescription">`.
 * @throws ServiceError 400 when the XML, the description's name or its handle is not as the service wants it.
 */
export function parseDescription(body: string, switches: InputSwitches): Description {
  const node = findDescription(parseXml(body));
  const name = node === undefined ? '' : descriptionName(node.tag);
  const kind = parseDescriptionName(name);
  if (node === undefined || kind === undefined) throw new ServiceError(400, invalidDescription);
  if (switches.strictBodies) requireStrict(node);
  const { platform, isTemplate } = kind;
  const order = ['Tags', 'PushVariables', ...platform.native, ...(isTemplate ? platform.template : [])];
  const { known, unknownXml } = sortOut(node.children, order, switches);
  const texts = new Map([...known].filter(([, child]) => !isNil(child)).map(([key, child]) => [key, child.text]));
  requireHandle(platform, texts);
  const headers = [...known].find(([key]) => key.endsWith('Headers'))?.[1];
  return {
    platform: platform.name,
    isTemplate,
    tags: (texts.get('Tags') ?? '')
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
    pushVariables: texts.get('PushVariables'),
    texts,
    headers: headers?.children.map((item) => [childText(item, 'Header'), childText(item, 'Value')] as const) ?? [],
    unknownXml: unknownXml === '' ? undefined : unknownXml,
  };
}

/** @throws ServiceError 400 for another namespace, or an expiry, which is the hub's to give. */
function requireStrict({ tag, children }: XmlNode): void {
  const isOther = [tag, ...children.map((child) => child.tag)].some(({ uri }) => uri !== connectNamespace);
  const hasExpiry = children.some((child) => child.tag.local === 'ExpirationTime' && !isNil(child));
  if (isOther || hasExpiry) throw new ServiceError(400, invalidDescription);
}

/** The first element of the document, with all below it. */
export function parseXml(body: string): XmlNode {
  const parser = new SaxesParser({ xmlns: true });
  const open: XmlNode[] = [];
  let root: XmlNode | undefined;
  let fault: Error | undefined;
  parser.on('error', (error) => {
    fault ??= error;
  });
  parser.on('opentag', (tag) => {
    const node: XmlNode = { tag, children: [], text: '' };
    open.at(-1)?.children.push(node);
    root ??= node;
    open.push(node);
  });
  const addText = (text: string): void => {
    const node = open.at(-1);
    if (node !== undefined) node.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    open.pop();
  });
  parser.write(body).close();
  if (fault !== undefined || root === undefined) throw new ServiceError(400, invalidDescription);
  return root;
}

function findDescription(node: XmlNode): XmlNode | undefined {
  if (node.tag.local.endsWith('RegistrationDescription')) return node;
  for (const child of node.children) {
    const found = findDescription(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function descriptionName(tag: SaxesTagNS): string {
  return tag.local === 'RegistrationDescription' ? (instanceAttribute(tag, 'type').split(':').at(-1) ?? '') : tag.local;
}

function sortOut(
  children: readonly XmlNode[],
  order: readonly string[],
  switches: InputSwitches,
): { known: Map<string, XmlNode>; unknownXml: string } {
  const known = new Map<string, XmlNode>();
  let unknownXml = '';
  let furthest = -1;
  for (const child of children) {
    const position = order.indexOf(child.tag.local);
    if (serviceOwned.includes(child.tag.local)) continue;
    if (position === -1) {
      if (switches.unknownElements === 'reject') throw new ServiceError(400, invalidDescription);
      if (switches.unknownElements === 'keep') unknownXml += renderNode(child);
    } else if (position >= furthest || switches.outOfOrderElements === 'accept') {
      known.set(child.tag.local, child);
      furthest = position;
    }
  }
  return { known, unknownXml };
}

function requireHandle(platform: PlatformSpec, texts: ReadonlyMap<string, string>): void {
  if (platform.handle.some((name) => (texts.get(name) ?? '').trim() === '')) {
    throw new ServiceError(400, invalidDescription);
  }
}

function isNil(node: XmlNode): boolean {
  return instanceAttribute(node.tag, 'nil') === 'true';
}

function instanceAttribute(tag: SaxesTagNS, local: string): string {
  const attributes = Object.values(tag.attributes);
  return attributes.find((attribute) => attribute.local === local && attribute.uri === instanceNamespace)?.value ?? '';
}

function childText(node: XmlNode, local: string): string {
  return node.children.find((child) => child.tag.local === local)?.text ?? '';
}

function renderNode({ tag, children, text }: XmlNode): string {
  const attributes = Object.values(tag.attributes).map(({ name, value }) => ` ${name}="${escapeAttribute(value)}"`);
  const inner = children.length === 0 ? escapeText(text) : children.map(renderNode).join('');
  return `<${tag.name}${attributes.join('')}>${inner}</${tag.name}>`;
}
