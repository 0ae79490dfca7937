import type { BenchResult } from './result.ts';
import type { Contender, Sample } from './sample.ts';
import { median } from './statistics.ts';

/** Where a case stands: how many devices, how slow a hub. */
export interface Case {
  readonly devices: number;
  readonly latencyMs: number;
}

/** Medians over the runs of one case. */
export interface Figures {
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Processor seconds for 100,000 of what is counted. */
  readonly cpuPer100k: number;
  /** Processor microseconds the hub's server used for each of what is counted. */
  readonly serverMicros: number;
  readonly peakBytes: number;
  readonly storedPerRow: number;
  part(...names: string[]): number;
  /** Rows the hub's server had to make while a listing waited. */
  readonly lateCount: number;
}

export function casesOf({ samples }: BenchResult): Case[] {
  const cases = new Map(samples.map(({ devices, latencyMs }) => [`${devices}/${latencyMs}`, { devices, latencyMs }]));
  // As a table is read: parts of a bench may come in any order.
  return [...cases.values()].sort((a, b) => a.devices - b.devices || a.latencyMs - b.latencyMs);
}

/** `undefined` when the contender did not run in this case. */
export function figuresOf({ samples }: BenchResult, where: Case, contender: Contender): Figures | undefined {
  const own = samples.filter(
    (sample) =>
      sample.contender === contender && sample.devices === where.devices && sample.latencyMs === where.latencyMs,
  );
  if (own.length === 0) return undefined;
  const over = (value: (sample: Sample) => number): number => median(own.map(value));
  return {
    count: over(({ count }) => count),
    seconds: over(({ seconds }) => seconds),
    perSecond: over(({ count, seconds }) => count / seconds),
    cpuPer100k: over(({ cpuSeconds, count }) => (cpuSeconds / count) * 100_000),
    serverMicros: over(({ serverCpuSeconds, count }) => (serverCpuSeconds / count) * 1e6),
    peakBytes: over(({ peakBytes }) => peakBytes),
    storedPerRow: over(({ storedBytes, count }) => (storedBytes ?? Number.NaN) / count),
    lateCount: over(({ lateCount }) => lateCount ?? 0),
    part: (...names) => over(({ parts }) => names.reduce((sum, name) => sum + (parts?.[name] ?? 0), 0)),
  };
}

/** The parts of a restore, by what they are for. */
export const restoreParts = {
  look: ['scan1', 'seal1'],
  write: ['reconcile1'],
  verify: ['scan2', 'seal2', 'reconcile2', 'finish2'],
} as const;
