import type { BenchResult } from './bench.ts';
import { type Case, casesOf, type Figures, figuresOf, restoreParts } from './figures.ts';

export interface Bar {
  readonly name: string;
  readonly limit: string;
  readonly found: string;
  readonly isMet: boolean;
}

const MEGABYTE = 2 ** 20;

/** The limits this project sets itself, as far as the cases that ran can tell. Printed, never failed on: a busy machine is no fault. */
export function checkBars(result: BenchResult): Bar[] {
  const cases = casesOf(result);
  // With fewer devices the seconds between two polls of a queue weigh more than the work.
  const judged = cases.filter(({ devices }) => devices === 200_000);
  return [
    ...(judged.length > 0 ? judged : cases).flatMap((where) => [
      ...backupBars(result, where),
      ...restoreBars(result, where),
    ]),
    ...growthBars(result, cases),
    ...statusBars(result),
  ];
}

function backupBars(result: BenchResult, where: Case): Bar[] {
  const own = figuresOf(result, where, 'backup');
  const limits: Readonly<Record<number, number>> = { 0: 6, 5: 2.2, 50: 1.15 };
  return [
    ...atLeast(
      where,
      'backup beside the SDK',
      limits[where.latencyMs],
      rate(own),
      rate(figuresOf(result, where, 'sdk-backup')),
    ),
    ...atLeast(
      where,
      'backup beside the bare listing',
      where.latencyMs === 50 ? 0.9 : undefined,
      rate(own),
      rate(figuresOf(result, where, 'bare-list')),
    ),
  ];
}

function restoreBars(result: BenchResult, where: Case): Bar[] {
  const own = figuresOf(result, where, 'restore');
  const dry = figuresOf(result, where, 'dry-run');
  if (own === undefined) return [];
  const isFast = where.latencyMs === 0;
  const { look, write, verify } = restoreParts;
  const writing = own.count / own.part(...write);
  const lookingAndWriting = own.count / own.part(...look, ...write);
  const [single, many, bare] = (['sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const).map((name) =>
    rate(figuresOf(result, where, name)),
  );
  const limits: Readonly<Record<number, number>> = { 0: 8, 5: 30 };
  return [
    ...atLeast(
      where,
      'restore (looking and writing) beside the SDK, one by one',
      limits[where.latencyMs],
      lookingAndWriting,
      single,
    ),
    ...atLeast(
      where,
      'restore (looking and writing) beside the SDK, 64 at once',
      isFast ? 3 : undefined,
      lookingAndWriting,
      many,
    ),
    ...atLeast(where, 'writing beside bare PUTs', isFast ? 0.6 : undefined, writing, bare),
    ...atLeast(where, 'whole restore beside bare PUTs', isFast ? 0.35 : undefined, own.perSecond, bare),
    ...atMost(
      where,
      'verifying, in its scans',
      where.latencyMs === 5 ? 1.3 : undefined,
      own.part(...verify) / own.part('scan2'),
    ),
    ...atMost(
      where,
      'dry run, in its scans',
      where.latencyMs === 5 ? 1.3 : undefined,
      (dry?.seconds ?? Number.NaN) / (dry?.part('scan1') ?? Number.NaN),
    ),
  ];
}

function growthBars(result: BenchResult, cases: readonly Case[]): Bar[] {
  return cases.flatMap((where) => {
    const limit = 400;
    const peaks = (['backup', 'restore', 'dry-run'] as const).map(
      (name) => figuresOf(result, where, name)?.peakBytes ?? 0,
    );
    const memory = atMost(where, 'peak MB', limit, Math.max(...peaks) / MEGABYTE);
    if (where.devices !== 1_000_000) return memory;
    const before = { ...where, devices: 200_000 };
    return [
      ...memory,
      ...(['backup', 'restore'] as const).flatMap((name) => {
        const [large, small] = [figuresOf(result, where, name), figuresOf(result, before, name)];
        if (large === undefined || small === undefined) return [];
        return [
          ...atMost(where, `${name}: peak memory to that of 200,000`, 1.2, large.peakBytes / small.peakBytes),
          ...atMost(where, `${name}: time to that of 200,000`, 5.5, large.seconds / small.seconds),
        ];
      }),
    ];
  });
}

function statusBars({ status }: BenchResult): Bar[] {
  const most = Math.max(0, ...status.map(({ devices }) => devices));
  return status
    .filter(({ devices }) => devices === most)
    .flatMap((one) => [
      ...atMost(one, 'status calls during a restore, p99 ms', 300, one.p99Ms),
      ...atMost(one, 'storage requests of a readiness call', 3, one.requests.readiness),
      ...atMost(one, 'storage requests of a call for a restore', 3, one.requests.restore),
    ]);
}

function atLeast(where: Case, name: string, limit: number | undefined, own: number, other: number | undefined): Bar[] {
  const found = own / (other ?? Number.NaN);
  if (limit === undefined || Number.isNaN(found)) return [];
  return [
    { name: `${name}, ${describe(where)}`, limit: `>= ${limit}`, found: found.toFixed(2), isMet: found >= limit },
  ];
}

function atMost(where: Case, name: string, limit: number | undefined, found: number): Bar[] {
  if (limit === undefined || Number.isNaN(found)) return [];
  return [
    { name: `${name}, ${describe(where)}`, limit: `<= ${limit}`, found: found.toFixed(2), isMet: found <= limit },
  ];
}

function rate(figures: Figures | undefined): number {
  return figures?.perSecond ?? Number.NaN;
}

function describe({ devices, latencyMs }: Case): string {
  return `${devices.toLocaleString('en')} devices, ${latencyMs} ms`;
}
