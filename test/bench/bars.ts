import { type BenchResult, type Case, casesOf, type FigureOf, figuresAt, median, ownRuns } from './figures.ts';

/** A limit this project sets itself, and what was found. */
export interface Bar {
  readonly name: string;
  readonly limit: string;
  readonly found: number;
  readonly isMet: boolean;
  /** The same figure with more included: shown, not judged. */
  readonly beside?: string;
}

/** Limits are printed and never fail the benchmark: a busy machine is no bug. What was not measured has no bar. */
export function checkBars(result: BenchResult): Bar[] {
  const [plain = [], overTls = []] = [false, true].map((isTls) => casesOf(result).filter((one) => one.isTls === isTls));
  const cases = plain;
  const most = Math.max(0, ...cases.map(({ devices }) => devices));
  // With fewer devices the seconds between two polls of a queue weigh more than the work.
  const judged = cases.filter(({ devices }) => devices === 200_000);
  const bars = [
    ...(judged.length > 0 ? judged : cases).flatMap((where) => speedBars(figuresAt(result, where), where)),
    ...cases.filter(({ devices }) => devices === most).flatMap((where) => scanBars(figuresAt(result, where), where)),
    ...cases.flatMap((where) => [
      bar(named(where, 'peak MB'), '<=', 400, peakOf(figuresAt(result, where))),
      ...growthBars(result, where),
    ]),
    ...overTls.flatMap((where) => tlsBars(result, where)),
    ...packageBars(result),
    ...statusBars(result),
  ];
  return bars.filter(({ found }) => !Number.isNaN(found));
}

/** Limits by milliseconds of latency; other latencies are not judged. */
type Limits = Readonly<Record<number, number>>;

function speedBars(of: FigureOf, where: Case): Bar[] {
  const rate = (name: Parameters<FigureOf>[0]): number => of(name, 'perSecond');
  const [single, many, bare] = [rate('sdk-restore-1'), rate('sdk-restore-64'), rate('bare-put')];
  const own = (name: string): number => of('restore', name);
  const sdk = 'restore (looking and writing, which is all the SDK does) beside the SDK';
  const whole = (other: number) =>
    `with verifying ${(own('unsettled') / other).toFixed(2)}; with the settling wait, too, ${(own('perSecond') / other).toFixed(2)}`;
  const withWait = `with the wait of ${own('settle').toFixed(0)} s ${(own('perSecond') / bare).toFixed(2)}`;
  const atLeast = (name: string, limits: Limits, found: number, beside?: string): Bar[] => {
    const limit = limits[where.latencyMs];
    const more = beside === undefined ? {} : { beside };
    return limit === undefined ? [] : [{ ...bar(named(where, name), '>=', limit, found), ...more }];
  };
  return [
    ...atLeast('backup beside the SDK', { 0: 6, 5: 2.2, 50: 1.15 }, rate('backup') / rate('sdk-backup')),
    ...atLeast('backup beside the bare listing', { 50: 0.9 }, rate('backup') / rate('bare-list')),
    ...atLeast(`${sdk}, one by one`, { 0: 8, 5: 30 }, own('lookingAndWriting') / single, whole(single)),
    ...atLeast(`${sdk}, 64 at once`, { 0: 3 }, own('lookingAndWriting') / many, whole(many)),
    ...atLeast('writing phase beside bare PUTs', { 0: 0.6 }, own('writing') / bare),
    ...atLeast(
      'whole restore with its verification, but for the fixed settling wait, beside bare PUTs',
      { 0: 0.35 },
      own('unsettled') / bare,
      withWait,
    ),
  ];
}

/** What only looks at the target, compared with the time that listing it takes. */
function scanBars(of: FigureOf, where: Case): Bar[] {
  if (where.latencyMs !== 5) return [];
  const dryRun = of('dry-run', 'seconds') / of('dry-run', 'scan1');
  return [
    bar(named(where, 'verifying, in its scans'), '<=', 1.3, of('restore', 'verifying') / of('restore', 'scan2')),
    bar(named(where, 'dry run, in its scans'), '<=', 1.3, dryRun),
  ];
}

function peakOf(of: FigureOf): number {
  const peaks = ownRuns.map((name) => of(name, 'peakMegabytes')).filter((peak) => !Number.isNaN(peak));
  return peaks.length === 0 ? Number.NaN : Math.max(...peaks);
}

function growthBars(result: BenchResult, where: Case): Bar[] {
  if (where.devices !== 1_000_000) return [];
  const [large, small] = [figuresAt(result, where), figuresAt(result, { ...where, devices: 200_000 })];
  const growth = (name: (typeof ownRuns)[number], figure: string): number => large(name, figure) / small(name, figure);
  return ownRuns.flatMap((name) => [
    bar(named(where, `${name}: peak memory to that of 200,000`), '<=', 1.2, growth(name, 'peakMegabytes')),
    bar(
      named(where, `${name}: time (but for the settling wait) to that of 200,000`),
      '<=',
      5.5,
      growth(name, 'workingSeconds'),
    ),
  ]);
}

/** Beside bare loops over TLS, and beside the same over plain HTTP. */
function tlsBars(result: BenchResult, where: Case): Bar[] {
  const [plain, tls] = [figuresAt(result, { ...where, isTls: false }), figuresAt(result, where)];
  const listing = (of: FigureOf): number =>
    of('backup', 'count') / of('backup', 'scan1') / of('bare-list', 'perSecond');
  const writing = (of: FigureOf): number => of('restore', 'writing') / of('bare-put', 'perSecond');
  const cost = (subject: 'backup' | 'restore'): number => tls(subject, 'cpuPer100k') / plain(subject, 'cpuPer100k');
  const name = (what: string): string => named(where, `TLS: ${what}`);
  return [
    ...(where.latencyMs === 5
      ? [
          bar(name('listing phase beside the bare listing'), '>=', 0.8, listing(tls)),
          bar(name('writing phase beside bare PUTs'), '>=', 0.6, writing(tls)),
        ]
      : []),
    ...(where.latencyMs === 0
      ? [bar(name('the same in what plain HTTP reaches of its bare PUTs'), '>=', 0.9, writing(tls) / writing(plain))]
      : []),
    bar(name('processor time of a backup in that over plain HTTP'), '<=', 1.15, cost('backup')),
    bar(name('processor time of a restore in that over plain HTTP'), '<=', 1.15, cost('restore')),
  ];
}

function packageBars({ samples }: BenchResult): Bar[] {
  const of = (name: string): number =>
    median(samples.flatMap(({ subject, figures }) => (subject === 'package' ? (figures[name] ?? []) : [])));
  return [
    bar('deployed, MB unpacked', '<', 8, of('megabytes')),
    bar('deployed, cold load ms', '<', 400, of('coldLoadMs')),
    bar("deployed, cold load in the unbundled app's", '<=', 0.5, of('coldLoadMs') / of('unbundledColdLoadMs')),
  ];
}

/** The largest size, each latency by its worst run. */
function statusBars({ samples }: BenchResult): Bar[] {
  const all = samples.filter(({ subject }) => subject === 'status');
  const devices = Math.max(0, ...all.map((one) => one.devices));
  const judged = Map.groupBy(
    all.filter((one) => one.devices === devices),
    ({ latencyMs }) => latencyMs,
  );
  return [...judged].flatMap(([latencyMs, runs]) => {
    const worst = (name: string): number => Math.max(...runs.map(({ figures }) => figures[name] ?? Number.NaN));
    const where = { devices, latencyMs, isTls: false };
    return [
      bar(named(where, 'storage requests of GET /api/status'), '<=', 3, worst('requestsForReadiness')),
      bar(named(where, 'storage requests of GET /api/restores/{id}'), '<=', 3, worst('requestsForRestore')),
      bar(named(where, 'status calls during a restore, p99 ms, worst run'), '<', 300, worst('p99Ms')),
    ];
  });
}

function bar(name: string, relation: '>=' | '<=' | '<', limit: number, found: number): Bar {
  const isMet = relation === '>=' ? found >= limit : relation === '<=' ? found <= limit : found < limit;
  return { name, limit: `${relation} ${limit}`, found, isMet };
}

function named({ devices, latencyMs }: Case, name: string): string {
  return `${name}, ${devices.toLocaleString('en')} devices, ${latencyMs} ms`;
}
