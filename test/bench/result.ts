import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { contenders, sampleSchema } from './sample.ts';

const where = { devices: z.number(), latencyMs: z.number() };

/** One status measurement of one restore. */
const statusSchema = z.object({
  ...where,
  count: z.number(),
  medianMs: z.number(),
  p99Ms: z.number(),
  requests: z.object({ readiness: z.number(), restore: z.number() }),
});

/** A rival that could not do its job at this size. */
const failureSchema = z.object({ ...where, contender: z.enum(contenders), message: z.string() });

const packageSchema = z.object({
  bytes: z.number(),
  bundledMs: z.array(z.number()),
  unbundledMs: z.array(z.number()),
});

const resultSchema = z.object({
  machine: z.string(),
  samples: z.array(sampleSchema),
  status: z.array(statusSchema),
  failures: z.array(failureSchema),
  packages: z.array(packageSchema),
  throttled: z.array(z.looseObject({ writingRatio: z.number(), refusedShare: z.number() })),
  twoHosts: z.array(z.looseObject({ writingRatio: z.number(), ratio: z.number() })),
});

export type BenchResult = z.infer<typeof resultSchema>;

/** Nothing measured yet. */
export function emptyResult(machine: string): BenchResult {
  return { machine, samples: [], status: [], failures: [], packages: [], throttled: [], twoHosts: [] };
}

/** One result of what was measured in several calls: cases side by side, runs of the same case together. */
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

/** What `--json` wrote: the last line of a file has all the figures. Throws with the file's name when it has none. */
export async function readResult(path: string): Promise<BenchResult> {
  const lastLine = (await readFile(path, 'utf8')).trimEnd().split('\n').at(-1) ?? '';
  try {
    return resultSchema.parse(JSON.parse(lastLine));
  } catch (cause) {
    throw new Error(`The last line of "${path}" is no result of this bench.`, { cause });
  }
}
