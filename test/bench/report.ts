import { checkBars } from './bars.ts';
import type { BenchResult } from './bench.ts';
import { type Case, casesOf, type Figures, figuresOf, restoreParts } from './figures.ts';
import { median } from './statistics.ts';

/** Everything measured as Markdown: a table of backups and one of restores for each case, and the bars. */
export function renderReport(result: BenchResult, machine: string): string {
  const cases = casesOf(result);
  const bars = checkBars(result).map((bar) => [bar.name, bar.limit, bar.found, bar.isMet ? 'yes' : '**no**']);
  return [
    machine,
    ...cases.flatMap((where) => [
      `### ${where.devices.toLocaleString('en')} devices, ${where.latencyMs} ms`,
      table(['backup', 'rows/s', 'x SDK', 'x bare', 'CPU s/100k', 'peak MB', 'bytes/row'], backups(result, where)),
      table(['restore', 'PUTs/s', 'x SDK', 'x SDK 64', 'x bare', 'CPU s/100k', 'peak MB'], restores(result, where)),
      table(['part of ours', 'seconds'], parts(result, where)),
    ]),
    '### Status calls during a restore',
    table(
      ['devices', 'ms', 'calls', 'median ms', 'p99 ms', 'storage requests: readiness', 'storage requests: restore'],
      statusRows(result),
    ),
    ...extras(result),
    '### Bars',
    table(['bar', 'limit', 'found', 'met'], bars),
  ].join('\n\n');
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
  const own = figuresOf(result, where, 'restore');
  if (own === undefined) return rows;
  const { look, write } = restoreParts;
  return [
    ...rows,
    row('ours: the writing phase', own.count / own.part(...write), ['', '']),
    row('ours: looking and writing', own.count / own.part(...look, ...write), ['', '']),
    row('ours: whole but for the settling wait', own.count / (own.seconds - own.part('settle')), ['', '']),
    row('ours: whole', own.perSecond, costs(own)),
  ];
}

function parts(result: BenchResult, where: Case): string[][] {
  const rows: string[][] = [];
  for (const contender of ['backup', 'restore', 'dry-run'] as const) {
    const own = figuresOf(result, where, contender);
    if (own === undefined) continue;
    const names = contender === 'restore' ? partNames : partNames.filter((name) => !name.endsWith('2'));
    const found = names.map((name) => ({ name, seconds: own.part(name) })).filter(({ seconds }) => seconds > 0);
    const text = found.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`).join(', ');
    rows.push([contender, `${own.seconds.toFixed(1)}: ${text}`]);
  }
  return rows;
}

const partNames = [
  ...['scan1', 'seal1', 'reconcile1', 'publish1', 'finish1', 'settle'],
  ...['scan2', 'seal2', 'reconcile2', 'finish2'],
];

function statusRows({ status }: BenchResult): string[][] {
  return status.map(({ devices, latencyMs, count, medianMs, p99Ms, requests }) =>
    [devices, latencyMs, count, medianMs, p99Ms, requests.readiness, requests.restore].map(whole),
  );
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

function ratio(own: number, other: number | undefined): string {
  return other === undefined ? '' : (own / other).toFixed(2);
}

function whole(value: number): string {
  return Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
