import { checkBars } from './bars.ts';
import { type Case, casesOf, type Figures, figuresOf, restoreParts } from './figures.ts';
import { renderGrowth } from './growth.ts';
import type { BenchResult } from './result.ts';
import { median } from './statistics.ts';
import { ratio, table, whole } from './table.ts';

/** Everything measured as Markdown: the cases, how figures grow, and the bars. What did not run is left out. */
export function renderReport(result: BenchResult): string {
  const bars = checkBars(result).map((bar) => [
    bar.name,
    bar.limit,
    bar.found,
    bar.isMet ? 'yes' : '**no**',
    bar.beside ?? '',
  ]);
  return [
    result.machine,
    renderCases(result),
    ...renderGrowth(result),
    ...failures(result),
    ...section(
      'Status calls during a restore',
      ['devices', 'ms', 'calls', 'median ms', 'p99 ms', 'storage requests: readiness', 'storage requests: restore'],
      statusRows(result),
    ),
    ...section('What is deployed', ['MB', 'cold load ms', 'unbundled ms', 'of it'], packageRows(result)),
    ...extras(result),
    ...section('Bars', ['bar', 'limit', 'found', 'met', 'beside it'], bars),
  ].join('\n\n');
}

/** For each case a table of backups, one of restores, the parts of ours, and what the hub's server cost. */
export function renderCases(result: BenchResult, devices?: number): string {
  return casesOf(result)
    .filter((where) => devices === undefined || where.devices === devices)
    .flatMap((where) => {
      const tables = [
        [['backup', 'rows/s', 'x SDK', 'x bare', 'CPU s/100k', 'peak MB', 'bytes/row'], backups(result, where)],
        [['restore', 'PUTs/s', 'x SDK', 'x SDK 64', 'x bare', 'CPU s/100k', 'peak MB'], restores(result, where)],
        [['part of ours', 'seconds'], parts(result, where)],
        [['hub server', 'us of its processor'], serverRows(result, where)],
      ] as const;
      const shown = tables.filter(([, rows]) => rows.length > 0).map(([head, rows]) => table(head, rows));
      return [`### ${whole(where.devices)} devices, ${where.latencyMs} ms`, ...shown];
    })
    .join('\n\n');
}

function backups(result: BenchResult, where: Case): string[][] {
  const [sdk, bare] = [figuresOf(result, where, 'sdk-backup'), figuresOf(result, where, 'bare-list')];
  return (['sdk-backup', 'bare-list', 'backup'] as const).flatMap((contender) => {
    const own = figuresOf(result, where, contender);
    if (own === undefined) return [];
    const ratios = [sdk, bare].map((other) => ratio(own.perSecond, other?.perSecond));
    return [[labels[contender], whole(own.perSecond), ...ratios, ...costs(own), whole(own.storedPerRow)]];
  });
}

function restores(result: BenchResult, where: Case): string[][] {
  const others = (['sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const).map((name) => ({
    name,
    figures: figuresOf(result, where, name),
  }));
  const row = (label: string, perSecond: number, cost: string[]): string[] => [
    label,
    whole(perSecond),
    ...others.map(({ figures }) => ratio(perSecond, figures?.perSecond)),
    ...cost,
  ];
  const rows = others.flatMap(({ name, figures }) =>
    figures === undefined ? [] : [row(labels[name], figures.perSecond, costs(figures))],
  );
  const [own, dry] = [figuresOf(result, where, 'restore'), figuresOf(result, where, 'dry-run')];
  const { look, write } = restoreParts;
  if (own !== undefined) {
    rows.push(
      row('ours: the writing phase', own.count / own.part(...write), ['', '']),
      row('ours: looking and writing', own.count / own.part(...look, ...write), ['', '']),
      row('ours: whole but for the settling wait', own.count / (own.seconds - own.part('settle')), ['', '']),
      row('ours: whole', own.perSecond, costs(own)),
    );
  }
  if (dry !== undefined)
    rows.push(['ours: dry run (nothing written)', whole(dry.perSecond), '', '', '', ...costs(dry)]);
  return rows;
}

function parts(result: BenchResult, where: Case): string[][] {
  return (['backup', 'restore', 'dry-run'] as const).flatMap((contender) => {
    const own = figuresOf(result, where, contender);
    if (own === undefined) return [];
    const found = partNames.map((name) => ({ name, seconds: own.part(name) })).filter(({ seconds }) => seconds > 0);
    const text = found.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`).join(', ');
    return [[contender, `${own.seconds.toFixed(1)}: ${text}`]];
  });
}

const partNames = [
  ...['scan1', 'seal1', 'reconcile1', 'publish1', 'finish1', 'settle'],
  ...['scan2', 'seal2', 'reconcile2', 'finish2'],
];

/** What every contender has to share the machine with. */
function serverRows(result: BenchResult, where: Case): string[][] {
  const [list, put, own] = (['bare-list', 'bare-put', 'restore'] as const).map((name) =>
    figuresOf(result, where, name),
  );
  return [
    ...(list === undefined ? [] : [['a page of 100, bare listing', whole(list.serverMicros * 100)]]),
    ...(put === undefined ? [] : [['a PUT, bare', whole(put.serverMicros)]]),
    ...(own === undefined
      ? []
      : [['our restore: installations whose rows a listing had to wait for', whole(own.lateCount)]]),
  ];
}

function statusRows({ status }: BenchResult): string[][] {
  return status.map(({ devices, latencyMs, count, medianMs, p99Ms, requests }) =>
    [devices, latencyMs, count, medianMs, p99Ms, requests.readiness, requests.restore].map(whole),
  );
}

function packageRows({ packages }: BenchResult): string[][] {
  return packages.map(({ bytes, bundledMs, unbundledMs }) => {
    const [bundled, unbundled] = [median(bundledMs), median(unbundledMs)];
    return [(bytes / 1e6).toFixed(2), whole(bundled), whole(unbundled), ratio(bundled, unbundled)];
  });
}

function failures(result: BenchResult): string[] {
  const rows = result.failures.map(({ contender, devices, latencyMs, message }) => [
    ...[contender, whole(devices), whole(latencyMs)],
    message,
  ]);
  return section('What could not be done', ['who', 'devices', 'ms', 'why'], rows);
}

function extras({ throttled, twoHosts }: BenchResult): string[] {
  if (throttled.length === 0) return [];
  const rows = [
    ['writing, in the least time the limit allows', median(throttled.map((run) => run.writingRatio)).toFixed(3)],
    ['requests refused', `${(100 * median(throttled.map((run) => run.refusedShare))).toFixed(2)} %`],
    ['writing by two hosts, times as fast', median(twoHosts.map((run) => run.writingRatio)).toFixed(2)],
    ['whole restore by two hosts, times as fast', median(twoHosts.map((run) => run.ratio)).toFixed(2)],
  ];
  return [
    '### A hub that takes 500 requests a second, 5 ms; one host and two, 20 ms, 16 in flight each; 20,000 devices',
    table(['', 'median'], rows),
  ];
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [`### ${title}`, table(head, rows)];
}

const labels = {
  'sdk-backup': 'SDK: list, stringify, upload',
  'bare-list': 'bare listing loop',
  backup: 'ours',
  'sdk-restore-1': 'SDK, one by one',
  'sdk-restore-64': 'SDK, 64 at once',
  'bare-put': 'bare PUTs, 64 at once',
} as const;

function costs({ cpuPer100k, peakBytes }: Figures): string[] {
  return [cpuPer100k.toFixed(1), whole(peakBytes / 2 ** 20)];
}
