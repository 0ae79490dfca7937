import { canonicalHandle, escaped } from '../registration/elements.ts';
import { descriptionForWrite, readElements } from '../registration/registration.ts';

/** A browser's address is more than a handle, and Baidu's are two: these devices register again by themselves. */
const RENEWABLE: ReadonlySet<string> = new Set(['Adm', 'Apple', 'FcmV1', 'Gcm', 'Mpns', 'Windows', 'Xiaomi']);

export function isRenewable(platform: string): boolean {
  return RENEWABLE.has(platform);
}

/** The description of a row as it may be written, with another handle in the one's place. */
export function withHandle(xml: string, platform: string, handle: string, newHandle: string): string | undefined {
  const written = descriptionForWrite(xml);
  const found = readElements(written).elements.find(({ text }) => canonicalHandle(platform, text) === handle);
  if (found === undefined) return undefined;
  const element = `<${found.name}>${escaped(newHandle)}</${found.name}>`;
  return written.slice(0, found.start) + element + written.slice(found.end);
}
