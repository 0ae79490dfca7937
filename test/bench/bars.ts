import { type Case, casesOf, figuresOf, restoreParts } from './figures.ts';
import type { BenchResult } from './measures.ts';
import { median } from './statistics.ts';
import { fixed } from './table.ts';

export interface Bar {
  readonly name: string;
  readonly limit: string;
  readonly found: string;
  readonly isMet: boolean;
  /** The same figure with more included: shown, not judged. */
  readonly beside?: string;
}

/** The limits this project sets itself. They are printed and never fail the benchmark: a busy machine is no bug. */
export function checkBars(result: BenchResult): Bar[] {
  const cases = casesOf(result);
  // With fewer devices the seconds between two polls of a queue weigh more than the work.
  const judged = cases.filter(({ devices }) => devices === 200_000);
  const most = Math.max(0, ...cases.map(({ devices }) => devices));
  return [
    ...(judged.length > 0 ? judged : cases).flatMap((where) => speedBars(result, where)),
    ...cases.filter(({ devices }) => devices === most).flatMap((where) => scanBars(result, where)),
    ...cases.flatMap((where) => [...memoryBars(result, where), ...growthBars(result, where)]),
    ...packageBars(result),
    ...statusBars(result),
  ];
}

const ours = ['backup', 'restore', 'dry-run'] as const;
/** Limits by milliseconds of latency; other latencies are not judged. */
type Limits = Readonly<Record<number, number>>;

function speedBars(result: BenchResult, where: Case): Bar[] {
  const rate = (name: (typeof result.samples)[number]['contender']) => figuresOf(result, where, name).perSecond;
  const [single, bare] = [rate('sdk-restore-1'), rate('bare-put')];
  const own = figuresOf(result, where, 'restore');
  const sdk = 'restore (looking and writing, which is all the SDK does) beside the SDK';
  const whole = (other: number) =>
    `with verifying ${fixed(own.unsettled / other, 2)}; with the settling wait, too, ${fixed(own.perSecond / other, 2)}`;
  const atLeast = (name: string, limits: Limits, found: number, beside?: string) =>
    bar(named(where, name), '>=', limits[where.latencyMs], found, beside);
  return [
    ...atLeast('backup beside the SDK', { 0: 6, 5: 2.2, 50: 1.15 }, rate('backup') / rate('sdk-backup')),
    ...atLeast('backup beside the bare listing', { 50: 0.9 }, rate('backup') / rate('bare-list')),
    ...atLeast(`${sdk}, one by one`, { 0: 8, 5: 30 }, own.lookingAndWriting / single, whole(single)),
    ...atLeast(
      `${sdk}, 64 at once`,
      { 0: 3 },
      own.lookingAndWriting / rate('sdk-restore-64'),
      whole(rate('sdk-restore-64')),
    ),
    ...atLeast('writing phase beside bare PUTs', { 0: 0.6 }, own.writing / bare),
    ...atLeast(
      'whole restore with its verification, but for the fixed settling wait, beside bare PUTs',
      { 0: 0.35 },
      own.unsettled / bare,
      `with the wait of ${fixed(own.part('settle'), 0)} s ${fixed(own.perSecond / bare, 2)}`,
    ),
  ];
}

/** What only looks at the target, compared with the time that listing it takes. */
function scanBars(result: BenchResult, where: Case): Bar[] {
  const limit = where.latencyMs === 5 ? 1.3 : undefined;
  const [own, dry] = [figuresOf(result, where, 'restore'), figuresOf(result, where, 'dry-run')];
  const verifying = own.part(...restoreParts.verify) / own.part('scan2');
  return [
    ...bar(named(where, 'verifying, in its scans'), '<=', limit, verifying),
    ...bar(named(where, 'dry run, in its scans'), '<=', limit, dry.seconds / dry.part('scan1')),
  ];
}

function memoryBars(result: BenchResult, where: Case): Bar[] {
  const peaks = ours.map((name) => figuresOf(result, where, name).peakMegabytes).filter((peak) => !Number.isNaN(peak));
  return peaks.length === 0 ? [] : bar(named(where, 'peak MB'), '<=', 400, Math.max(...peaks));
}

function growthBars(result: BenchResult, where: Case): Bar[] {
  if (where.devices !== 1_000_000) return [];
  return ours.flatMap((name) => {
    const [large, small] = [where, { ...where, devices: 200_000 }].map((one) => figuresOf(result, one, name));
    if (large === undefined || small === undefined) return [];
    const time = large.workingSeconds / small.workingSeconds;
    return [
      ...bar(
        named(where, `${name}: peak memory to that of 200,000`),
        '<=',
        1.2,
        large.peakMegabytes / small.peakMegabytes,
      ),
      ...bar(named(where, `${name}: time (but for the settling wait) to that of 200,000`), '<=', 5.5, time),
    ];
  });
}

function packageBars({ packages }: BenchResult): Bar[] {
  if (packages.length === 0) return [];
  const bundled = median(packages.flatMap(({ bundledMs }) => bundledMs));
  const unbundled = median(packages.flatMap(({ unbundledMs }) => unbundledMs));
  return [
    ...bar('deployed, MB unpacked', '<', 8, Math.max(...packages.map(({ bytes }) => bytes)) / 1e6),
    ...bar('deployed, cold load ms', '<', 400, bundled),
    ...bar("deployed, cold load in the unbundled app's", '<=', 0.5, bundled / unbundled),
  ];
}

/** The largest size, each latency by its worst run. */
function statusBars({ status }: BenchResult): Bar[] {
  const devices = Math.max(0, ...status.map((one) => one.devices));
  const judged = Map.groupBy(
    status.filter((one) => one.devices === devices),
    ({ latencyMs }) => latencyMs,
  );
  return [...judged].flatMap(([latencyMs, runs]) => {
    const worst = (name: string, relation: '<' | '<=', limit: number, value: (run: (typeof runs)[number]) => number) =>
      bar(named({ devices, latencyMs }, name), relation, limit, Math.max(...runs.map(value)));
    return [
      ...worst('storage requests of GET /api/status', '<=', 3, ({ requests }) => requests.readiness),
      ...worst('storage requests of GET /api/restores/{id}', '<=', 3, ({ requests }) => requests.restore),
      ...worst('status calls during a restore, p99 ms, worst run', '<', 300, ({ p99Ms }) => p99Ms),
    ];
  });
}

/** None for what has no limit or was not measured. */
function bar(name: string, relation: '>=' | '<=' | '<', limit: number | undefined, found: number, beside?: string) {
  if (limit === undefined || Number.isNaN(found)) return [];
  const isMet = relation === '>=' ? found >= limit : relation === '<=' ? found <= limit : found < limit;
  const one: Bar = { name, limit: `${relation} ${limit}`, found: found.toFixed(2), isMet };
  return [beside === undefined ? one : { ...one, beside }];
}

function named({ devices, latencyMs }: Case, name: string): string {
  return `${name}, ${devices.toLocaleString('en')} devices, ${latencyMs} ms`;
}
