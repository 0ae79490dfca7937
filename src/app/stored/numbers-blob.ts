import { DrError } from '../../core/errors.ts';
import { packFrame, toText, unpackFrame } from './codec.ts';

/**
 * A blob of numbers: a title, which is a JSON object and tells what they are, on a line of its own before them; packed.
 */
export function packNumbers(title: object, numbers: Float64Array): Uint8Array {
  return packFrame(Buffer.concat([Buffer.from(`${JSON.stringify(title)}\n`), bytesOf(numbers)]));
}

/** Title and numbers. Throws `StoredDocumentInvalid`, naming the blob, on damaged bytes. */
export function unpackNumbers(
  name: string,
  blob: Uint8Array,
): { readonly title: string; readonly numbers: Float64Array } {
  const bytes = unpackFrame(blob, name);
  const titleEnd = bytes.indexOf('\n');
  const content = bytes.subarray(titleEnd + 1);
  if (titleEnd === -1 || content.length % Float64Array.BYTES_PER_ELEMENT !== 0) {
    throw new DrError('StoredDocumentInvalid', `The document ${name} is not whole. Start a new run.`, { target: name });
  }
  // Copied, because numbers must stand at a multiple of their size.
  const numbers = new Float64Array(Uint8Array.from(content).buffer);
  return { title: toText(bytes.subarray(0, titleEnd)), numbers };
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
