import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const listingRivals = ['sdk-backup', 'bare-list'] as const;
const writingRivals = ['sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const;
/** Everything that is compared with the app. */
export const rivals = [...listingRivals, ...writingRivals] as const;
/** Everything that is measured, in the order of the report. */
export const contenders = [...listingRivals, 'backup', ...writingRivals, 'restore', 'dry-run'] as const;
export type Contender = (typeof contenders)[number];

const where = { devices: z.number(), latencyMs: z.number() };

const sampleSchema = z
  .object({
    ...where,
    contender: z.enum(contenders),
    /** Registrations listed, or PUTs written. */
    count: z.number(),
    seconds: z.number(),
    cpuSeconds: z.number(),
    /** What the hub server used meanwhile. */
    serverCpuSeconds: z.number(),
    peakBytes: z.number(),
    /** What a backup left in storage. */
    storedBytes: z.number().optional(),
    /** Seconds by part of a run, from the run's own timestamps. */
    parts: z.record(z.string(), z.number()).optional(),
    /** Installations whose rows the hub server made while a listing of this restore waited. */
    lateCount: z.number().optional(),
  })
  .readonly();

/** One measurement of one contender. */
export type Sample = z.infer<typeof sampleSchema>;
/** The same before its case is known. */
export type Measured = Omit<Sample, 'devices' | 'latencyMs'>;

const resultSchema = z.object({
  machine: z.string(),
  samples: z.array(sampleSchema),
  /** Status calls during one restore. */
  status: z.array(
    z.object({
      ...where,
      count: z.number(),
      medianMs: z.number(),
      p99Ms: z.number(),
      requests: z.object({ readiness: z.number(), restore: z.number() }),
    }),
  ),
  /** Rivals that could not do their job at a size. */
  failures: z.array(z.object({ ...where, contender: z.enum(contenders), message: z.string() })),
  packages: z.array(z.object({ bytes: z.number(), bundledMs: z.array(z.number()), unbundledMs: z.array(z.number()) })),
  throttled: z.array(z.looseObject({ writingRatio: z.number(), refusedShare: z.number() })),
  twoHosts: z.array(z.looseObject({ writingRatio: z.number(), ratio: z.number() })),
});

export type BenchResult = z.infer<typeof resultSchema>;

/** Nothing measured yet. */
export function emptyResult(machine: string): BenchResult {
  return { ...mergeResults([]), machine };
}

/** One result of several calls: cases side by side, runs of the same case together. */
export function mergeResults(results: readonly BenchResult[]): BenchResult {
  return {
    machine: [...new Set(results.map(({ machine }) => machine))].join('; '),
    samples: results.flatMap(({ samples }) => samples),
    status: results.flatMap(({ status }) => status),
    failures: results.flatMap(({ failures }) => failures),
    packages: results.flatMap(({ packages }) => packages),
    throttled: results.flatMap(({ throttled }) => throttled),
    twoHosts: results.flatMap(({ twoHosts }) => twoHosts),
  };
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
