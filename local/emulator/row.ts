import { type PlatformName, type PlatformSpec, platformSpec } from './platforms.ts';
import { cdata, element, escapeText } from './xml-text.ts';

/** A registration as a client describes it, before the hub gives it an id. */
export interface Description {
  readonly platform: PlatformName;
  readonly isTemplate: boolean;
  readonly tags: readonly string[];
  /** JSON object as text. */
  readonly pushVariables?: string | undefined;
  /** Text of every element but the header collection, by element name. */
  readonly texts: ReadonlyMap<string, string>;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Elements outside the contract, as XML; only with the switch `unknownElements: 'keep'`. */
  readonly unknownXml?: string | undefined;
}

/** One registration of a hub. Never changed in place: an update replaces it by another row. */
export interface Row {
  readonly id: string;
  readonly etag: number;
  readonly platform: PlatformName;
  readonly isTemplate: boolean;
  /** Empty for native rows and nameless templates. */
  readonly templateName: string;
  readonly handle: string;
  /** Sorted and joined with commas, as the service shows them; empty when none. */
  readonly tags: string;
  /** ISO instant; absent = never. */
  readonly expiresAt: string | undefined;
  readonly installationId: string | undefined;
  /** The description's XML from `PushVariables` on: rendered once, served in every page. */
  readonly content: string;
  /** The platform that a list shows it as; its own when absent. */
  readonly shownAs?: string;
  /** When the hub first wrote it, counted over all its writes; given by the hub. */
  readonly inserted?: number;
  /** When the hub last wrote it, likewise. */
  readonly updated?: number;
}

/** What a description and its origin say; the hub adds id and ETag. */
export type RowContent = Omit<Row, 'id' | 'etag' | 'shownAs' | 'inserted' | 'updated'>;

export function toRowContent(
  description: Description,
  origin: { installationId?: string | undefined; expiresAt?: string | undefined } = {},
): RowContent {
  const spec = platformSpec(description.platform);
  return {
    platform: description.platform,
    isTemplate: description.isTemplate,
    templateName: flat(description.isTemplate ? (description.texts.get('TemplateName') ?? '') : ''),
    handle: flat(handleOf(spec, description.texts)),
    tags: flat(sortTags(description.tags).join(',')),
    expiresAt: origin.expiresAt,
    installationId: origin.installationId,
    content: renderContent(spec, description),
  };
}

/** Tags are a set without regard to letter case, shown sorted. */
export function sortTags(tags: readonly string[]): string[] {
  const keyed = tags.map((tag) => ({ tag, key: tag.toUpperCase() }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.filter(({ key }, at) => at === 0 || keyed[at - 1]?.key !== key).map(({ tag }) => tag);
}

export function splitTags(tags: string): string[] {
  return tags === '' ? [] : tags.split(',');
}

/** Whether an update from one to the other changes nothing; expiry apart. */
export function isSameContent(a: RowContent, b: RowContent): boolean {
  return (
    a.content === b.content &&
    a.tags === b.tags &&
    a.platform === b.platform &&
    a.isTemplate === b.isTemplate &&
    a.installationId === b.installationId
  );
}

/** Milliseconds since 1970; infinite = never. */
export function expiresAtMs({ expiresAt }: Pick<Row, 'expiresAt'>): number {
  return expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
}

export function isExpired(row: Row, nowMs: number): boolean {
  return expiresAtMs(row) <= nowMs;
}

/** The device's address: for Browser the endpoint, for Baidu `user-channel`, for Apple in upper case. */
export function handleOf(spec: PlatformSpec, texts: ReadonlyMap<string, string>): string {
  if (spec.name === 'Baidu') return `${texts.get('BaiduUserId')}-${texts.get('BaiduChannelId')}`;
  const handle = texts.get(spec.handle[0] ?? '') ?? '';
  return spec.name === 'Apple' ? handle.toUpperCase() : handle;
}

function renderContent(spec: PlatformSpec, description: Description): string {
  const parts = [description.pushVariables === undefined ? '' : element('PushVariables', description.pushVariables)];
  const names = description.isTemplate ? [...spec.native, ...spec.template] : spec.native;
  for (const name of names) parts.push(renderElement(name, description));
  parts.push(description.unknownXml ?? '');
  return parts.join('');
}

function renderElement(name: string, { texts, headers }: Description): string {
  if (name.endsWith('Headers')) return renderHeaders(name, headers);
  const text = texts.get(name);
  if (name === 'DeviceToken') return element(name, (text ?? '').toUpperCase());
  if (text === undefined) return name === 'Expiry' || name === 'TemplateName' ? `<${name} i:nil="true"/>` : '';
  return name === 'BodyTemplate' ? `<BodyTemplate>${cdata(text)}</BodyTemplate>` : element(name, text);
}

function renderHeaders(collection: string, headers: Description['headers']): string {
  if (headers.length === 0) return `<${collection}/>`;
  const item = collection.slice(0, -1);
  const rendered = headers.map(
    ([name, value]) => `<${item}><Header>${escapeText(name)}</Header><Value>${escapeText(value)}</Value></${item}>`,
  );
  return `<${collection}>${rendered.join('')}</${collection}>`;
}

/** A slice keeps the whole request alive in V8; at a million rows that doubles the memory. */
function flat(text: string): string {
  return text.length < 13 ? text : Buffer.from(text).toString();
}
