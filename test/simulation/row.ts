/** What a registration says, apart from its place in a hub. */
export interface Description {
  readonly platform: 'Apple' | 'FcmV1';
  readonly handle: string;
  /** Without the names of installation and template. */
  readonly tags: readonly string[];
  /** Of a template row. */
  readonly body: string | undefined;
  readonly installationId: string | undefined;
}

/** The looks that a write of the app rests on. */
export interface Looked {
  /** When the listing of its pass began. */
  readonly listedAt: number;
  /** When it asked for what lives there, if it did so since. */
  readonly askedAt: number | undefined;
  /** Whether either has shown something there. */
  readonly isShown: boolean;
}

/** Who wrote a row as it is. */
export type Writer =
  | { readonly kind: 'device'; readonly word: number }
  /** With what its run knew of the hub when it sent the write. */
  | { readonly kind: 'tool'; readonly runId: string; readonly looked: Looked }
  | { readonly kind: 'service' };

/** One registration of a hub. Never changed in place. */
export interface Row extends Description {
  readonly id: string;
  readonly etag: number;
  /** Epoch ms; absent: never. */
  readonly expiresAt: number | undefined;
  /** When it became as it is, and by whom: nothing that the app can see. */
  readonly appliedAt: number;
  readonly by: Writer;
}

export const TEMPLATE_NAME = 'alert';

const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
const NEVER = '9999-12-31T23:59:59.9999999Z';

const rendered = new WeakMap<Row, Uint8Array>();

/** The description as a listing shows it. */
export function renderRow(row: Row): Uint8Array {
  const known = rendered.get(row);
  if (known !== undefined) return known;
  const { platform, handle, body } = row;
  const name = `${platform}${body === undefined ? '' : 'Template'}RegistrationDescription`;
  const expires = row.expiresAt === undefined ? NEVER : new Date(row.expiresAt).toISOString();
  const tags = shownTags(row).join(',');
  const element = platform === 'Apple' ? 'DeviceToken' : 'FcmV1RegistrationId';
  const template =
    body === undefined
      ? ''
      : `<BodyTemplate><![CDATA[${body}]]></BodyTemplate><TemplateName>${TEMPLATE_NAME}</TemplateName>`;
  const xml = `<${name} xmlns="${CONNECT}" xmlns:i="${INSTANCE}"><ETag>${row.etag}</ETag><ExpirationTime>${expires}</ExpirationTime><RegistrationId>${row.id}</RegistrationId>${tags === '' ? '' : `<Tags>${tags}</Tags>`}<${element}>${handle}</${element}>${template}</${name}>`;
  const bytes = Buffer.from(xml, 'latin1');
  rendered.set(row, bytes);
  return bytes;
}

function shownTags({ tags, body, installationId }: Description): string[] {
  const own = installationId === undefined ? [] : [`$InstallationId:{${installationId}}`];
  const name = installationId === undefined || body === undefined ? [] : [TEMPLATE_NAME];
  return [...own, ...new Set([...tags, ...name])].sort();
}

/** Reads what the app writes: a description without the hub's own values. */
export function readDescription(xml: string): Description {
  const platform = /^<(Apple|FcmV1)(?:Template)?RegistrationDescription /.exec(xml)?.[1];
  if (platform !== 'Apple' && platform !== 'FcmV1') throw new Error(`No description: ${xml}`);
  const handle = /<(?:DeviceToken|FcmV1RegistrationId)>([^<]+)</.exec(xml)?.[1] ?? '';
  const tags = /<Tags>([^<]*)</.exec(xml)?.[1]?.split(',') ?? [];
  const body = /<BodyTemplate><!\[CDATA\[(.*?)\]\]></.exec(xml)?.[1];
  const installationId = tags.map((tag) => /^\$InstallationId:\{(.*)\}$/.exec(tag)?.[1]).find((id) => id !== undefined);
  const isOwn = (tag: string): boolean =>
    !tag.startsWith('$') && !(installationId !== undefined && body !== undefined && tag === TEMPLATE_NAME);
  return { platform, handle, tags: tags.filter(isOwn), body, installationId };
}

/** Which registration of its device it is. */
export function slotOf({ body }: Description): 'native' | 'template' {
  return body === undefined ? 'native' : 'template';
}

/**
 * The content's number, which each device's word puts into a tag of its own; the newest, where a template kept the tags
 * of an older word.
 */
export function contentOf({ tags }: Description): number {
  return Math.max(-1, ...tags.filter((tag) => /^c\d+$/.test(tag)).map((tag) => Number(tag.slice(1))));
}

/** Whether two descriptions are the same to a device. */
export function isSame(a: Description, b: Description): boolean {
  return (
    a.platform === b.platform &&
    a.handle === b.handle &&
    a.body === b.body &&
    a.installationId === b.installationId &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag) => b.tags.includes(tag))
  );
}

/** Whether another one is of what the app calls the same record: an installation, or a plain registration's device. */
export function isOfRecord(row: Description): (other: Description) => boolean {
  return ({ handle, installationId }) =>
    installationId === row.installationId && (installationId !== undefined || handle === row.handle);
}

/** For traces. */
export function tell(row: Description): string {
  const form = row.installationId === undefined ? 'plain' : row.installationId;
  const tags = row.tags.length > 10 ? [...row.tags.slice(0, 3), `and ${row.tags.length - 3} more`] : row.tags;
  return `${form}/${slotOf(row)} ${row.handle} [${tags.join(' ')}]${row.body === undefined ? '' : ` ${row.body}`}`;
}
