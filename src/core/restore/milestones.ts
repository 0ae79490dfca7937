import { numbersIn } from '../bytes/numbers-in.ts';
import { firstIndex } from '../bytes/search.ts';
import type { BlobFacts } from '../ports.ts';
import type { Milestones } from '../run/run.ts';

/** How many records were in place at which time: milliseconds since the run began, and records. */
type Sample = readonly [atMs: number, records: number];

const MAX_SAMPLES = 64;

/** One more sample; of many, every other one is kept. */
export function addSample(samples: readonly Sample[], atMs: number, records: number): [number, number][] {
  const last = samples.at(-1);
  // Steps of several hosts add to it, whose clocks differ: what is stored only grows.
  const kept = last?.[1] === records ? samples : [...samples, [Math.max(atMs, last?.[0] ?? 0), records] as const];
  const thinned = kept.length > MAX_SAMPLES ? kept.filter((_, index) => (kept.length - 1 - index) % 2 === 0) : kept;
  return thinned.map(([at, amount]) => [at, amount]);
}

/** As the fact that `milestonesOf` reads. */
export function formatSamples(samples: readonly Sample[]): string {
  return samples.map(([atMs, records]) => `${atMs}:${records}`).join(' ');
}

/** When the first pass had put a share of all records in place; none that later passes took back. */
export function milestonesOf(
  first: readonly BlobFacts[],
  { total, inPlace }: { readonly total: number; readonly inPlace: number },
  startedAtMs: number,
): Milestones {
  const wantedFor = (percent: number): number => Math.ceil((total * percent) / 100);
  if (total === 0 || inPlace < wantedFor(50)) return {};
  const shards = first.map((facts) => numbersIn(facts['in_place'] ?? ''));
  const reachedAt = (percent: number): string | undefined => {
    const wanted = wantedFor(percent);
    const atMs = inPlace < wanted ? undefined : whenInPlace(shards, wanted);
    return atMs === undefined ? undefined : new Date(startedAtMs + atMs).toISOString();
  };
  const [p50At, p90At, p99At] = [reachedAt(50), reachedAt(90), reachedAt(99)];
  return { ...(p50At ? { p50At } : {}), ...(p90At ? { p90At } : {}), ...(p99At ? { p99At } : {}) };
}

/**
 * Of each shard times and records in turn. What is in place only grows: the first time of enough is searched by halves.
 */
function whenInPlace(shards: readonly (readonly number[])[], wanted: number): number | undefined {
  const at = (ms: number): number => shards.reduce((sum, samples) => sum + recordsAt(samples, ms), 0);
  const end = shards.reduce((latest, samples) => Math.max(latest, samples.at(-2) ?? 0), 0);
  return at(end) < wanted ? undefined : firstIndex(end, (ms) => at(ms) >= wanted);
}

/** What the last sample up to then says. */
function recordsAt(samples: readonly number[], ms: number): number {
  const later = firstIndex(samples.length >> 1, (index) => (samples[2 * index] ?? 0) > ms);
  return later === 0 ? 0 : (samples[2 * later - 1] ?? 0);
}
