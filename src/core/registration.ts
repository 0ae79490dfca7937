import { DrError } from './errors.ts';
import { readElement, skipMisc, type XmlElement } from './registration-xml.ts';
import { createCursor } from './registration-xml-cursor.ts';
import { misread, type XmlSource } from './registration-xml-text.ts';

export { canonicalRow } from './registration-canonical.ts';
export type { XmlElement } from './registration-xml.ts';

/** One row of a hub: what this app reads of a registration description. All else is carried in `xml`. */
export interface Registration {
  /** The description exactly as the hub gave it. */
  readonly xml: string;
  readonly id: string;
  /** 0 when the description has none, as in one to be written. */
  readonly etag: number;
  /** As written. */
  readonly expirationTime: string | undefined;
  /** Decoded, trimmed, no empties, in the hub's order. */
  readonly tags: readonly string[];
  /** `Apple`, `FcmV1`, ...; one unknown to this version as it comes. */
  readonly platform: string;
  readonly isTemplate: boolean;
  /** Canonical: Apple tokens upper-case; Baidu `userId-channelId`; Browser the endpoint. */
  readonly handle: string;
  readonly templateName: string | undefined;
  readonly tileName: string | undefined;
}

/** Reads one description, of either root form. Throws `HubMisbehaves` naming what is wrong, never a value. */
export function parseRegistration(xml: string): Registration {
  const { type, elements } = readElements(xml);
  const { platform, isTemplate } = kindOf(type);
  return {
    xml,
    id: requireText(elements, 'RegistrationId').trim(),
    etag: parseEtag(textOf(elements, 'ETag')),
    expirationTime: textOf(elements, 'ExpirationTime'),
    tags: splitTags(textOf(elements, 'Tags')),
    platform,
    isTemplate,
    handle: readHandle(platform, elements),
    templateName: textOf(elements, 'TemplateName'),
    tileName: textOf(elements, 'SecondaryTileName'),
  };
}

/** The elements of one description in document order. `type` is `AppleTemplateRegistrationDescription` and so on. */
export interface DescriptionElements {
  readonly rootName: string;
  readonly type: string;
  readonly elements: readonly XmlElement[];
}

/** Reads one description completely; it must stand alone: its own namespace declarations, no XML declaration. */
export function readElements(xml: string): DescriptionElements {
  const cursor = createCursor(xml, DESCRIPTION);
  skipMisc(cursor);
  const root = readElement(cursor);
  skipMisc(cursor);
  if (cursor.position !== xml.length) throw misread(DESCRIPTION, 'something follows its end', cursor.position);
  if (root.text.trim() !== '') throw misread(DESCRIPTION, 'it holds text instead of elements');
  const type = root.type ?? root.name;
  if (!TYPE_NAME.test(type)) throw misread(DESCRIPTION, 'its root names no kind of registration');
  return { rootName: root.name, type, elements: root.children };
}

/** The description as it may be written: without `ETag`, `ExpirationTime`, `RegistrationId`, else byte for byte. */
export function descriptionForWrite(xml: string): string {
  let written = '';
  let copied = 0;
  for (const { name, start, end } of readElements(xml).elements) {
    if (name !== 'ETag' && name !== 'ExpirationTime' && name !== 'RegistrationId') continue;
    written += xml.slice(copied, start);
    copied = end;
  }
  return written + xml.slice(copied);
}

/** The id inside the tag `$InstallationId:{...}`: the row belongs to that installation. */
export function installationIdOf(tags: readonly string[]): string | undefined {
  return reservedTag(tags, '$installationid:{');
}

/** The id inside the tag `$UserId:{...}`. */
export function userIdOf(tags: readonly string[]): string | undefined {
  return reservedTag(tags, '$userid:{');
}

const DESCRIPTION: XmlSource = { what: 'A registration description', isRetryable: false };

const TYPE_NAME = /^[A-Za-z][A-Za-z0-9]*RegistrationDescription$/;
