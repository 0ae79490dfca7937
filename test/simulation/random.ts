/** A stream of chance of its own: one concern's choices do not shift another's. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** Between `least` and `most`, each order of magnitude as likely as the next. */
  spread(least: number, most: number): number;
  chance(share: number): boolean;
  pick<T>(values: readonly [T, ...T[]]): T;
  /** `undefined` only of none. */
  pickAny<T>(values: readonly T[]): T | undefined;
}

/** The same seed and name give the same stream, on any Node. */
export function randomOf(seed: number, name: string): Random {
  const next = sfc32(hashOf(`${seed}/${name}`));
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    between: (least, most) => least + below(most - least + 1),
    // Powers of two by halving: `Math.pow` and `Math.log` may differ between versions of V8.
    spread: (least, most) => spread(next, least, most),
    chance: (share) => next() < share,
    pick: (values) => values[below(values.length)] ?? values[0],
    pickAny: (values) => values[below(values.length)],
  };
}

function spread(next: () => number, least: number, most: number): number {
  let doublings = 0;
  for (let value = least; value * 2 <= most; value *= 2) doublings += 1;
  const base = least * 2 ** Math.floor(next() * (doublings + 1));
  return Math.min(most, Math.round(base * (1 + next())));
}

function hashOf(text: string): [number, number, number, number] {
  const state: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, text.length];
  for (let at = 0; at < text.length; at += 1) {
    for (let part = 0; part < 4; part += 1) {
      state[part] = Math.imul((state[part] ?? 0) ^ text.charCodeAt(at) ^ (part << 9), 0x01000193 + 2 * part);
      state[part] = (state[part] ?? 0) ^ ((state[part] ?? 0) >>> 15);
    }
  }
  return state;
}

/** Small, fast, and passes PractRand: Chris Doty-Humphrey's generator. */
function sfc32([first, second, third, start]: [number, number, number, number]): () => number {
  let [a, b, c, counter] = [first | 0, second | 0, third | 0, start | 0];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}
