/** A number in [0, 1). */
export type Random = () => number;

/** sfc32: small, fast, the same everywhere for the same seed; streams of different seeds do not overlap in practice. */
export function seededRandom(seed: number): Random {
  let a = seed | 0;
  let b = 0x9e3779b9 | 0;
  let c = 0x243f6a88;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

/** A seed from a text, so that every hub gives out ids of its own. */
export function seedOf(text: string): number {
  let hash = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
  return hash >>> 0;
}

/** `{n}-{n}-{k}` as the service makes them: two large integers and a small one. */
export function registrationId(random: Random): string {
  const large = (): string =>
    `${1 + Math.floor(random() * 9_223_372_035)}${String(Math.floor(random() * 1e9)).padStart(9, '0')}`;
  return `${large()}-${large()}-${1 + Math.floor(random() * 3)}`;
}

export function uuid(random: Random): string {
  const hex = Array.from({ length: 4 }, () => integer(random, 0x1_0000_0000).toString(16).padStart(8, '0')).join('');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}

export function integer(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** @throws RangeError for an empty list. */
export function pick<T>(random: Random, from: readonly T[]): T {
  const chosen = from[integer(random, from.length)];
  if (chosen === undefined) throw new RangeError('nothing to pick from');
  return chosen;
}

/** Whether what has this name belongs to a share of all; always the same answer. */
export function isInShare(name: string, share: number): boolean {
  return share > 0 && seededRandom(seedOf(name))() < share;
}
