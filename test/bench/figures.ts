import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const listingRivals = ['sdk-backup', 'bare-list'] as const;
const writingRivals = ['sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const;
/** What is compared with the app. */
export const rivals = [...listingRivals, ...writingRivals] as const;
/** The app, in the order in which each needs what comes before it. */
export const ownRuns = ['backup', 'restore', 'dry-run'] as const;
/** Whatever is measured at each size and latency, in the order of the report. */
export const contenders = [...listingRivals, 'backup', ...writingRivals, 'restore', 'dry-run'] as const;
/** What is measured at one size. */
export const extras = ['throttled', 'two-hosts', 'sync', 'large-target'] as const;
export type Subject = (typeof contenders)[number] | (typeof extras)[number] | 'status' | 'package';

const sampleSchema = z.object({
  subject: z.enum([...contenders, ...extras, 'status', 'package']),
  /** 0 where there is no hub. */
  devices: z.number(),
  latencyMs: z.number(),
  isTls: z.boolean().default(false),
  /** By name, with the unit in it. */
  figures: z.record(z.string(), z.number()),
  /** Why a rival could not do its job at this size. */
  failure: z.string().optional(),
});
/** One measurement. */
export type Sample = Readonly<z.infer<typeof sampleSchema>>;

const resultSchema = z.object({ machine: z.string(), samples: z.array(sampleSchema) });
export type BenchResult = z.infer<typeof resultSchema>;

/** How many devices, and how slow a hub. */
export type Case = Pick<Sample, 'devices' | 'latencyMs' | 'isTls'>;

/** Of the contenders, the smallest first. */
export function casesOf({ samples }: BenchResult): Case[] {
  const own = samples.filter(({ subject }) => contenders.some((name) => name === subject));
  const cases = new Map(
    own.map(({ devices, latencyMs, isTls }) => [`${devices}/${latencyMs}/${isTls}`, { devices, latencyMs, isTls }]),
  );
  return [...cases.values()].sort(
    (a, b) => a.devices - b.devices || a.latencyMs - b.latencyMs || Number(a.isTls) - Number(b.isTls),
  );
}

/** Medians over the runs of a case; NaN for what was not measured. */
export type FigureOf = (subject: Subject, name: string) => number;

export function figuresAt({ samples }: BenchResult, { devices, latencyMs, isTls }: Case): FigureOf {
  const own = samples.filter((one) => one.devices === devices && one.latencyMs === latencyMs && one.isTls === isTls);
  return (subject, name) => median(own.flatMap((one) => (one.subject === subject ? (one.figures[name] ?? []) : [])));
}

/** One result of several calls: cases side by side, runs of the same case together. */
export function mergeResults(results: readonly BenchResult[]): BenchResult {
  const machines = new Set(results.map(({ machine }) => machine));
  return { machine: [...machines].join('; '), samples: results.flatMap(({ samples }) => samples) };
}

/** What `--json` wrote: the last line of a file has all figures. Throws with the file's name when it has none. */
export async function readResult(path: string): Promise<BenchResult> {
  const lastLine = (await readFile(path, 'utf8')).trimEnd().split('\n').at(-1) ?? '';
  try {
    return resultSchema.parse(JSON.parse(lastLine));
  } catch (cause) {
    throw new Error(`The last line of "${path}" is not a result of this benchmark.`, { cause });
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The least value that at least this share of the values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
