import { ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';

const tagPattern = /^[\p{L}\p{N}_@#.:-]{1,120}$/u;

/** @throws ServiceError 400 with the reported texts. */
export function requireValidTags(tags: readonly string[]): void {
  if (tags.some((tag) => tag.startsWith('$'))) throw new ServiceError(400, 'Tags can not start with $');
  const invalid = tags.filter(hasInvalidTag);
  if (invalid.length > 0) throw new ServiceError(400, invalidTagText(invalid));
}

/** 60 tags are documented, 72 were seen accepted. @throws ServiceError 400 above the hub's limit. */
export function requireTagRoom(
  tags: readonly string[],
  { tagLimit, tagBytesLimit }: Pick<HubSwitches, 'tagLimit' | 'tagBytesLimit'>,
): void {
  if (tagLimit > 0 && tags.length > tagLimit) throw new ServiceError(400, `No more than ${tagLimit} tags are allowed.`);
  if (tagBytesLimit > 0 && Buffer.byteLength(tags.join(',')) > tagBytesLimit)
    throw new ServiceError(400, `The tags must not exceed ${tagBytesLimit} bytes together.`);
}

export function hasInvalidTag(tag: string): boolean {
  return !tagPattern.test(tag);
}

export function isUserId(text: string): boolean {
  return /^[\p{L}\p{N}_@#.:=-]+$/u.test(text);
}

export function invalidTagText(tags: readonly string[]): string {
  return `An invalid tag(s) '${tags.join(',')}' was supplied. Valid tag characters are alphanumeric, _, @, -, ., : and #.`;
}
