import type { BlobFacts, Blobs } from '../../src/core/ports.ts';
import { listAll } from '../support/list-all.ts';

export type Damage =
  | 'removed'
  | 'emptied'
  | 'cut in half'
  | 'one byte short'
  | 'doubled'
  | 'swapped'
  | 'put in its place: a sibling'
  | 'put in its place: an older one of its kind'
  | { readonly flippedAt: number };

/** All but single bytes, which `flips` changes. */
export const damages: readonly Damage[] = [
  'removed',
  'emptied',
  'cut in half',
  'one byte short',
  'doubled',
  'swapped',
  'put in its place: a sibling',
  'put in its place: an older one of its kind',
];

interface Version {
  readonly bytes: Uint8Array;
  readonly facts: BlobFacts;
}

/** Everything ever stored, by name, first version first. */
export type History = ReadonlyMap<string, readonly Version[]>;

/** Blobs that remember all they were ever given, also what was removed since; `onPut` comes after each. */
export function remembering(
  blobs: Blobs,
  before: History,
  onPut: (name: string) => Promise<void> = async () => {},
): { readonly blobs: Blobs; readonly history: History } {
  const history = new Map(before);
  const put: Blobs['put'] = async (name, bytes, condition, facts = {}) => {
    const answer = await blobs.put(name, bytes, condition, facts);
    if (answer !== 'conflict') history.set(name, [...(history.get(name) ?? []), { bytes: bytes.slice(), facts }]);
    await onPut(name);
    return answer;
  };
  return { blobs: { ...blobs, put }, history };
}

/**
 * Damages the newest blob of this name and gives the names of all blobs that changed; none when there is nothing to do
 * it with. A blob's facts stay as they are.
 */
export async function strike(
  blobs: Blobs,
  history: History,
  what: { readonly name: RegExp; readonly sibling: RegExp },
  damage: Damage,
): Promise<readonly string[]> {
  const entry = (await listAll(blobs)).filter(({ name }) => what.name.test(name)).at(-1);
  if (entry === undefined) throw new Error(`There is no ${what.name.source} to damage.`);
  const { name, facts } = entry;
  const bytes = (await blobs.get(name))?.bytes ?? new Uint8Array();
  const write = async (changed: Uint8Array | undefined): Promise<readonly string[]> => {
    if (changed === undefined || Buffer.from(changed).equals(bytes)) return [];
    await blobs.put(name, changed, 'any', facts);
    return [name];
  };
  const sibling = [...history.keys()].filter((one) => what.sibling.test(one) && one !== name).at(-1) ?? '';
  if (typeof damage === 'object') {
    const at = Math.round(damage.flippedAt * (bytes.length - 1));
    return write(bytes.with(at, (bytes[at] ?? 0) ^ 1));
  }
  switch (damage) {
    case 'removed':
      await blobs.remove(name);
      return [name];
    case 'emptied':
      return write(new Uint8Array());
    case 'cut in half':
      return write(bytes.slice(0, bytes.length / 2));
    case 'one byte short':
      return write(bytes.slice(0, -1));
    case 'doubled':
      return write(Buffer.concat([bytes, bytes]));
    case 'put in its place: a sibling':
      return write(history.get(sibling)?.at(-1)?.bytes);
    case 'put in its place: an older one of its kind':
      return write(history.get(name)?.at(-2)?.bytes);
    case 'swapped': {
      const other = await blobs.get(sibling);
      if (other === undefined || (await write(other.bytes)).length === 0) return [];
      await blobs.put(sibling, bytes, 'any', history.get(sibling)?.at(-1)?.facts);
      return [name, sibling];
    }
    default:
      return damage satisfies never;
  }
}

/** Spread over the bytes, the first and the last one included, and some more by chance of a fixed seed. */
export function flips(seed: number): readonly Damage[] {
  const fixed = [0, 0.13, 0.41, 0.63, 0.9, 1];
  const drawn = Array.from({ length: 2 }, (_, index) => ((seed * 7919 + index * 104_729) % 100_003) / 100_003);
  return [...fixed, ...drawn].map((flippedAt) => ({ flippedAt }));
}
