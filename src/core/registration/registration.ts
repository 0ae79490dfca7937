import { decodeUtf8, type Octets } from '../bytes/utf8.ts';
import { misread } from '../xml/misread.ts';
import { DESCRIPTION, joinHandle, kindOf, readElements, readHandle, textOf } from './elements.ts';
import { findOwn } from './own.ts';
import { splitTags } from './tags.ts';
import { readUsual, type UsualFields } from './usual.ts';

export type { XmlElement } from '../xml/element.ts';
export { canonicalRow } from './canonical.ts';
export { readElements } from './elements.ts';
export { hasRepairTag, installationIdOf, userIdOf } from './tags.ts';

/** One row of a hub: what this app reads of a registration description. Everything else is carried in `xml`. */
export interface Registration {
  /** The description exactly as the hub gave it. */
  readonly xml: string;
  readonly id: string;
  /** 0 when the description has none. */
  readonly etag: number;
  /** As written. */
  readonly expirationTime: string | undefined;
  /** Decoded, trimmed, no empties, in the hub's order. */
  readonly tags: readonly string[];
  /** `Apple`, `FcmV1`, ...; one unknown to this version as it comes. */
  readonly platform: string;
  readonly isTemplate: boolean;
  /** Canonical: Apple tokens upper-case; Baidu `userId-channelId`, a hyphen of the first as `%2D`; Browser the endpoint. */
  readonly handle: string;
  readonly templateName: string | undefined;
  readonly tileName: string | undefined;
}

/** What a row tells of whose it is. */
export type Identity = Pick<Registration, 'id' | 'tags' | 'handle'>;

/** Reads one description, of either root form. Throws `HubMisbehaves` naming what is wrong, never a value. */
export function parseRegistration(xml: string): Registration {
  const usual = readUsual(xml);
  return usual === undefined ? parseAnyRegistration(xml) : { xml, ...toFields(usual) };
}

/** What a description says, without itself. */
export type RegistrationFields = Omit<Registration, 'xml'>;

/** `parseRegistration` for a description that is still as it came. Of ASCII only, it need not be decoded anywhere. */
export function parseOctets(octets: Octets, isAscii = false): RegistrationFields {
  const usual = readUsual(octets, isAscii ? undefined : decodeUtf8);
  return usual === undefined ? parseAnyRegistration(decodeUtf8(octets)) : toFields(usual);
}

/** The handle of a description that need not have an id, as one that is to be written. */
export function handleIn(xml: string): string {
  const { type, elements } = readElements(xml);
  return readHandle(kindOf(type).platform, elements);
}

function toFields(usual: UsualFields): RegistrationFields {
  return {
    id: usual.id,
    etag: parseEtag(usual.etag || undefined),
    expirationTime: usual.expirationTime || undefined,
    tags: splitTags(usual.tags ?? ''),
    platform: usual.platform,
    isTemplate: usual.isTemplate,
    handle: usual.channel === undefined ? usual.handle : joinHandle(usual.handle, usual.channel),
    templateName: usual.templateName || undefined,
    tileName: undefined,
  };
}

/** `parseRegistration` for any description. */
export function parseAnyRegistration(xml: string): Registration {
  const { type, elements } = readElements(xml);
  const { platform, isTemplate } = kindOf(type);
  const id = textOf(elements, 'RegistrationId')?.trim() ?? '';
  if (id === '') throw misread(DESCRIPTION, "element 'RegistrationId' is missing or empty");
  return {
    xml,
    id,
    etag: parseEtag(textOf(elements, 'ETag')),
    expirationTime: textOf(elements, 'ExpirationTime'),
    tags: splitTags(textOf(elements, 'Tags') ?? ''),
    platform,
    isTemplate,
    handle: readHandle(platform, elements),
    templateName: textOf(elements, 'TemplateName'),
    tileName: textOf(elements, 'SecondaryTileName'),
  };
}

/**
 * The description of a row as it may be written: without `ETag`, `ExpirationTime`, `RegistrationId`, otherwise byte for
 * byte. `parseRegistration` has read it before, and refused one in which any of these occurs twice.
 */
export function descriptionForWrite(xml: string): string {
  const own = findOwn(xml);
  return own === undefined ? anyDescriptionForWrite(xml) : xml.slice(0, own.start) + xml.slice(own.end);
}

/** `descriptionForWrite` for any description. */
export function anyDescriptionForWrite(xml: string): string {
  let written = '';
  let copied = 0;
  for (const { name, start, end } of readElements(xml).elements) {
    if (name !== 'ETag' && name !== 'ExpirationTime' && name !== 'RegistrationId') continue;
    written += xml.slice(copied, start);
    copied = end;
  }
  return written + xml.slice(copied);
}

/** A description as it is written, under an id: as it is read. */
export function withId(xml: string, id: string): string {
  const end = xml.lastIndexOf('</');
  return `${xml.slice(0, end)}<RegistrationId>${id}</RegistrationId>${xml.slice(end)}`;
}

function parseEtag(text: string | undefined): number {
  if (text === undefined) return 0;
  const etag = Number(text);
  if (!Number.isSafeInteger(etag) || etag < 0) throw misread(DESCRIPTION, "element 'ETag' is not a whole number");
  return etag;
}
