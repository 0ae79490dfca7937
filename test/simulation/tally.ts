import type { Outcome } from './run.ts';

/** Seeds named for each kind of violation. */
const NAMED = 8;

/** What many seeds came to. */
export class Tally {
  readonly #kinds = new Map<string, { count: number; readonly seeds: number[] }>();
  readonly #sometimes = new Map<string, number>();
  failedCount = 0;

  add({ seed, violations, sometimes }: Pick<Outcome, 'seed' | 'violations' | 'sometimes'>): void {
    if (violations.length > 0) this.failedCount += 1;
    for (const kind of new Set(violations.map((one) => one.kind))) {
      const known = this.#kinds.get(kind) ?? { count: 0, seeds: [] };
      known.count += 1;
      known.seeds.push(seed);
      this.#kinds.set(kind, known);
    }
    for (const [what, count] of sometimes) this.#sometimes.set(what, (this.#sometimes.get(what) ?? 0) + count);
  }

  lines(): string[] {
    const kinds = [...this.#kinds].sort((a, b) => b[1].count - a[1].count);
    const sometimes = [...this.#sometimes].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...sometimes.map(([what, count]) => `sometimes ${what}: ${count}`),
      ...kinds.map(([kind, { count, seeds }]) => {
        const named = seeds.sort((a, b) => a - b).slice(0, NAMED);
        return `VIOLATION ${kind}: ${count} seeds (${named.join(', ')}${seeds.length > NAMED ? ', …' : ''})`;
      }),
    ];
  }
}
