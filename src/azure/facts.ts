import { DrError } from '../core/errors.ts';
import type { BlobFacts } from '../core/ports.ts';

/** Beside the caller's facts: which `put` wrote the blob, see `upload.ts`. */
const PUT_ID = 'putid';

/**
 * The facts as blob metadata, marked with the id of the `put`. Throws on what the service would refuse or change on the
 * way: names are C# identifiers that come back in any case, values are header values, all of it at most 8 KiB
 * (learn.microsoft.com, "Setting and retrieving properties and metadata for Blob service resources").
 */
export function toMetadata(facts: BlobFacts, putId: string): Record<string, string> {
  const metadata: Record<string, string> = { [PUT_ID]: putId };
  let sizeBytes = PUT_ID.length + putId.length;
  for (const [name, value] of Object.entries(facts)) {
    if (name === PUT_ID || !/^[a-z][a-z0-9_]*$/.test(name)) {
      throw new DrError('Internal', `'${name}' cannot name a blob's fact: use a-z, 0-9 and _, and not '${PUT_ID}'.`);
    }
    if (!/^[!-~]([ -~]*[!-~])?$/.test(value)) {
      const message = `The fact '${name}' must be printable ASCII, not empty, without a space at its ends.`;
      throw new DrError('Internal', message);
    }
    sizeBytes += name.length + value.length;
    metadata[name] = value;
  }
  if (sizeBytes > MAX_BYTES)
    throw new DrError('Internal', `A blob's facts hold ${sizeBytes} of at most ${MAX_BYTES} bytes.`);
  return metadata;
}

const MAX_BYTES = 8_192;

export function toFacts(metadata: Readonly<Record<string, string>> = {}): BlobFacts {
  const facts = Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(facts.filter(([name]) => name !== PUT_ID));
}

export function putIdOf(metadata: Readonly<Record<string, string>> = {}): string | undefined {
  return Object.entries(metadata).find(([name]) => name.toLowerCase() === PUT_ID)?.[1];
}
