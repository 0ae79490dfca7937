import { type Case, casesOf, type Figures, figuresOf, restoreParts } from './figures.ts';
import type { BenchResult } from './result.ts';
import { median } from './statistics.ts';
import { ratio } from './table.ts';

export interface Bar {
  readonly name: string;
  readonly limit: string;
  readonly found: string;
  readonly isMet: boolean;
  /** The same seen otherwise: shown, not judged. */
  readonly beside?: string;
}

const MEGABYTE = 2 ** 20;

/** The limits this project sets itself, as far as what ran can tell. Printed, never failed on: a busy machine is no fault. */
export function checkBars(result: BenchResult): Bar[] {
  const cases = casesOf(result);
  // With fewer devices the seconds between two polls of a queue weigh more than the work.
  const judged = cases.filter(({ devices }) => devices === 200_000);
  const most = Math.max(0, ...cases.map(({ devices }) => devices));
  return [
    ...(judged.length > 0 ? judged : cases).flatMap((where) => [
      ...backupBars(result, where),
      ...restoreBars(result, where),
    ]),
    ...cases.filter(({ devices }) => devices === most).flatMap((where) => scanBars(result, where)),
    ...cases.flatMap((where) => [...memoryBars(result, where), ...growthBars(result, where)]),
    ...packageBars(result),
    ...statusBars(result),
  ];
}

function backupBars(result: BenchResult, where: Case): Bar[] {
  const [own, sdk, bare] = (['backup', 'sdk-backup', 'bare-list'] as const).map((name) =>
    rate(figuresOf(result, where, name)),
  );
  const limits: Readonly<Record<number, number>> = { 0: 6, 5: 2.2, 50: 1.15 };
  return [
    ...atLeast(where, 'backup beside the SDK', limits[where.latencyMs], own, sdk),
    ...atLeast(where, 'backup beside the bare listing', where.latencyMs === 50 ? 0.9 : undefined, own, bare),
  ];
}

function restoreBars(result: BenchResult, where: Case): Bar[] {
  const own = figuresOf(result, where, 'restore');
  if (own === undefined) return [];
  const isFast = where.latencyMs === 0;
  const { look, write } = restoreParts;
  const writing = own.count / own.part(...write);
  const lookingAndWriting = own.count / own.part(...look, ...write);
  const unsettled = own.count / (own.seconds - own.part('settle'));
  const [single, many, bare] = (['sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const).map((name) =>
    rate(figuresOf(result, where, name)),
  );
  const limits: Readonly<Record<number, number>> = { 0: 8, 5: 30 };
  const part = 'restore (looking and writing, which is all the SDK does) beside the SDK';
  const whole = (other: number | undefined): string =>
    `with verifying ${ratio(unsettled, other)}; with the settling wait, too, ${ratio(own.perSecond, other)}`;
  return [
    ...atLeast(where, `${part}, one by one`, limits[where.latencyMs], lookingAndWriting, single, whole(single)),
    ...atLeast(where, `${part}, 64 at once`, isFast ? 3 : undefined, lookingAndWriting, many, whole(many)),
    ...atLeast(where, 'writing phase beside bare PUTs', isFast ? 0.6 : undefined, writing, bare),
    ...atLeast(
      where,
      'whole restore with its verification, but for the fixed settling wait, beside bare PUTs',
      isFast ? 0.35 : undefined,
      unsettled,
      bare,
      `with the wait of ${own.part('settle').toFixed(0)} s ${ratio(own.perSecond, bare)}`,
    ),
  ];
}

/** What only looks at the target, in the time that listing it takes. */
function scanBars(result: BenchResult, where: Case): Bar[] {
  const limit = where.latencyMs === 5 ? 1.3 : undefined;
  const [own, dry] = [figuresOf(result, where, 'restore'), figuresOf(result, where, 'dry-run')];
  return [
    ...(own === undefined
      ? []
      : atMost(where, 'verifying, in its scans', limit, own.part(...restoreParts.verify) / own.part('scan2'))),
    ...(dry === undefined ? [] : atMost(where, 'dry run, in its scans', limit, dry.seconds / dry.part('scan1'))),
  ];
}

const ours = ['backup', 'restore', 'dry-run'] as const;

function memoryBars(result: BenchResult, where: Case): Bar[] {
  const peaks = ours.flatMap((name) => figuresOf(result, where, name)?.peakBytes ?? []);
  return peaks.length === 0 ? [] : atMost(where, 'peak MB', 400, Math.max(...peaks) / MEGABYTE);
}

function growthBars(result: BenchResult, where: Case): Bar[] {
  if (where.devices !== 1_000_000) return [];
  return ours.flatMap((name) => {
    const large = figuresOf(result, where, name);
    const small = figuresOf(result, { ...where, devices: 200_000 }, name);
    if (large === undefined || small === undefined) return [];
    return [
      ...atMost(where, `${name}: peak memory to that of 200,000`, 1.2, large.peakBytes / small.peakBytes),
      ...atMost(
        where,
        `${name}: time (but for the settling wait) to that of 200,000`,
        5.5,
        working(large) / working(small),
      ),
    ];
  });
}

/** The wait is the same at any size, and would make growth look smaller. */
function working(figures: Figures): number {
  return figures.seconds - figures.part('settle');
}

function packageBars({ packages }: BenchResult): Bar[] {
  if (packages.length === 0) return [];
  const bundled = median(packages.flatMap(({ bundledMs }) => bundledMs));
  const unbundled = median(packages.flatMap(({ unbundledMs }) => unbundledMs));
  const megabytes = Math.max(...packages.map(({ bytes }) => bytes)) / 1e6;
  return [
    bar('deployed, MB unpacked', '<', 8, megabytes),
    bar('deployed, cold load ms', '<', 400, bundled),
    bar("deployed, cold load in the unbundled app's", '<=', 0.5, bundled / unbundled),
  ];
}

function statusBars({ status }: BenchResult): Bar[] {
  const most = Math.max(0, ...status.map(({ devices }) => devices));
  const judged = status.filter(({ devices }) => devices === most);
  return [...new Set(judged.map(({ latencyMs }) => latencyMs))].flatMap((latencyMs) => {
    const runs = judged.filter((one) => one.latencyMs === latencyMs);
    const where = { devices: most, latencyMs };
    const requests = (kind: 'readiness' | 'restore') => Math.max(...runs.map((run) => run.requests[kind]));
    return [
      ...atMost(where, 'storage requests of GET /api/status', 3, requests('readiness')),
      ...atMost(where, 'storage requests of GET /api/restores/{id}', 3, requests('restore')),
      bar(
        named(where, 'status calls during a restore, p99 ms, worst run'),
        '<',
        300,
        Math.max(...runs.map((run) => run.p99Ms)),
      ),
    ];
  });
}

function atLeast(
  where: Case,
  name: string,
  limit: number | undefined,
  own: number | undefined,
  other: number | undefined,
  beside?: string,
): Bar[] {
  const found = (own ?? Number.NaN) / (other ?? Number.NaN);
  if (limit === undefined || Number.isNaN(found)) return [];
  return [{ ...bar(named(where, name), '>=', limit, found), ...(beside === undefined ? {} : { beside }) }];
}

function atMost(where: Case, name: string, limit: number | undefined, found: number): Bar[] {
  return limit === undefined || Number.isNaN(found) ? [] : [bar(named(where, name), '<=', limit, found)];
}

function bar(name: string, relation: '>=' | '<=' | '<', limit: number, found: number): Bar {
  const isMet = relation === '>=' ? found >= limit : relation === '<=' ? found <= limit : found < limit;
  return { name, limit: `${relation} ${limit}`, found: found.toFixed(2), isMet };
}

function rate(figures: Figures | undefined): number {
  return figures?.perSecond ?? Number.NaN;
}

function named({ devices, latencyMs }: Case, name: string): string {
  return `${name}, ${devices.toLocaleString('en')} devices, ${latencyMs} ms`;
}
