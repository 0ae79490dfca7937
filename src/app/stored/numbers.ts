import { z } from 'zod';
import type { DrError } from '../../core/errors.ts';
import { parseJson, parseWith } from '../../core/parse.ts';
import type { App } from '../app.ts';
import { packFrame, sha256Hex, toText, unpackFrame } from './codec.ts';
import { invalidDocument } from './invalid.ts';

/** One kind of blob of numbers: a title, which is a JSON object, on a line of its own before them; packed. */
export interface NumbersKind<Title extends object> {
  readonly what: string;
  readonly hint: string;
  /** The field of the title that holds the blob's name: with it, numbers put in another's place are refused, too. */
  readonly nameField: string;
  /** The other fields. */
  readonly title: z.ZodType<Title>;
}

export interface Numbers<Title> {
  readonly title: Title;
  readonly numbers: Float64Array;
}

type Storage = Pick<App, 'blobs'>;

export type StoredNumbers<Title extends object> = ReturnType<typeof defineNumbers<Title>>;

export function defineNumbers<Title extends object>(kind: NumbersKind<Title>) {
  const { what, hint, nameField } = kind;
  const invalid = (name: string, why: string): DrError => invalidDocument({ what, name, why, hint });
  const open = (name: string, blob: Uint8Array): Numbers<Title> => {
    const bytes = unpackFrame(blob, name);
    const titleEnd = bytes.indexOf('\n');
    const content = bytes.subarray(titleEnd + 1);
    if (titleEnd === -1 || content.length % Float64Array.BYTES_PER_ELEMENT !== 0) throw invalid(name, 'is not whole');
    const source = { code: 'StoredDocumentInvalid', what: `${what} ${name}`, hint, target: name } as const;
    const whole = parseWith(anyTitle, parseJson(toText(bytes.subarray(0, titleEnd)), source), source);
    const { [nameField]: storedName, ...title } = whole;
    if (storedName !== name) throw invalid(name, 'holds what was stored elsewhere');
    // Copied, because numbers must lie at a multiple of their size.
    const numbers = new Float64Array(Uint8Array.from(content).buffer);
    return { title: parseWith(kind.title, title, source), numbers };
  };
  return {
    open,
    invalid,
    /** Throws `StoredDocumentInvalid`, naming the blob, when it is missing or damaged. */
    async read(app: Storage, name: string): Promise<Numbers<Title>> {
      const blob = await app.blobs.get(name);
      if (blob === undefined) throw invalid(name, 'is missing');
      return open(name, blob.bytes);
    },
    async write(app: Storage, name: string, { title, numbers }: Numbers<Title>): Promise<void> {
      const titleLine = `${JSON.stringify({ [nameField]: name, ...title })}\n`;
      await app.blobs.put(name, packFrame(Buffer.concat([Buffer.from(titleLine), bytesOf(numbers)])), 'any');
    },
  };
}

const anyTitle = z.record(z.string(), z.unknown());

export function digestOfNumbers(numbers: Float64Array): string {
  return sha256Hex(bytesOf(numbers));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
