import type { BenchResult, Contender, Sample } from './measures.ts';
import { median } from './statistics.ts';

/** One case: how many devices, how slow a hub. */
export interface Case {
  readonly devices: number;
  readonly latencyMs: number;
}

/** Medians over the runs of one case; all are NaN for a contender that did not run. */
export type Figures = ReturnType<typeof figuresOf>;

export function casesOf({ samples }: BenchResult): Case[] {
  const cases = new Map(samples.map(({ devices, latencyMs }) => [`${devices}/${latencyMs}`, { devices, latencyMs }]));
  // Results of several calls come in any order.
  return [...cases.values()].sort((a, b) => a.devices - b.devices || a.latencyMs - b.latencyMs);
}

export function figuresOf({ samples }: BenchResult, { devices, latencyMs }: Case, contender: Contender) {
  const own = samples.filter(
    (one) => one.contender === contender && one.devices === devices && one.latencyMs === latencyMs,
  );
  const over = (value: (sample: Sample) => number): number => median(own.map(value));
  const part = (...names: readonly string[]) =>
    over(({ parts }) => names.reduce((sum, name) => sum + (parts?.[name] ?? 0), 0));
  const [count, seconds] = [over((one) => one.count), over((one) => one.seconds)];
  return {
    count,
    seconds,
    perSecond: over((one) => one.count / one.seconds),
    /** Processor seconds for 100,000 of what is counted. */
    cpuPer100k: over((one) => (one.cpuSeconds / one.count) * 100_000),
    /** Processor microseconds the hub server used for each of what is counted. */
    serverMicros: over((one) => (one.serverCpuSeconds / one.count) * 1e6),
    peakMegabytes: over((one) => one.peakBytes / 2 ** 20),
    storedPerRow: over((one) => (one.storedBytes ?? Number.NaN) / one.count),
    lateCount: over((one) => one.lateCount ?? 0),
    part,
    /** Without the settling wait, which is the same at any size and speed. */
    workingSeconds: seconds - part('settle'),
    /** Rates of a restore by what it does. */
    writing: count / part(...restoreParts.write),
    lookingAndWriting: count / part(...restoreParts.look, ...restoreParts.write),
    unsettled: count / (seconds - part('settle')),
  };
}

/** The parts of a restore by purpose. */
export const restoreParts = {
  look: ['scan1', 'seal1'],
  write: ['reconcile1'],
  verify: ['scan2', 'seal2', 'reconcile2', 'finish2'],
} as const;
