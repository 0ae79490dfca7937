import { checkBars } from './bars.ts';
import { casesOf, type Figures, figuresOf } from './figures.ts';
import { type BenchResult, type Contender, contenders } from './measures.ts';
import { median } from './statistics.ts';
import { fixed, section, table, whole } from './table.ts';

/** Everything measured as Markdown: the cases, how figures grow, and the bars. What did not run is left out. */
export function renderReport(result: BenchResult): string {
  const { failures, status, packages } = result;
  return [
    result.machine,
    renderCases(result),
    ...renderGrowth(result),
    ...section(
      'What could not be done',
      ['who', 'devices', 'ms', 'why'],
      failures.map(({ contender, devices, latencyMs, message }) => [
        contender,
        whole(devices),
        whole(latencyMs),
        message,
      ]),
    ),
    ...section(
      'Status calls during a restore',
      ['devices', 'ms', 'calls', 'median ms', 'p99 ms', 'storage requests: readiness', 'storage requests: restore'],
      status.map(({ devices, latencyMs, count, medianMs, p99Ms, requests }) =>
        [devices, latencyMs, count, medianMs, p99Ms, requests.readiness, requests.restore].map(whole),
      ),
    ),
    ...section(
      'What is deployed',
      ['MB', 'cold load ms', 'unbundled ms', 'of it'],
      packages.map(({ bytes, bundledMs, unbundledMs }) => {
        const [bundled, unbundled] = [median(bundledMs), median(unbundledMs)];
        return [(bytes / 1e6).toFixed(2), whole(bundled), whole(unbundled), fixed(bundled / unbundled, 2)];
      }),
    ),
    ...renderExtras(result),
    ...section(
      'Bars',
      ['bar', 'limit', 'found', 'met', 'beside it'],
      checkBars(result).map(({ name, limit, found, isMet, beside = '' }) => [
        name,
        limit,
        found,
        isMet ? 'yes' : '**no**',
        beside,
      ]),
    ),
  ].join('\n\n');
}

/** For each case a table of backups, one of restores, the parts of ours, and what the hub server cost. */
export function renderCases(result: BenchResult, devices?: number): string {
  return casesOf(result)
    .filter((where) => devices === undefined || where.devices === devices)
    .flatMap((where) => {
      const of = (name: Contender) => figuresOf(result, where, name);
      return [
        `### ${whole(where.devices)} devices, ${where.latencyMs} ms`,
        ...section('', ['backup', 'rows/s', 'x SDK', 'x bare', ...costHead, 'bytes/row'], backups(of)),
        ...section('', ['restore', 'PUTs/s', 'x SDK', 'x SDK 64', 'x bare', ...costHead], restores(of)),
        ...section('', ['part of ours', 'seconds'], parts(of)),
        ...section('', ['hub server', 'us of its processor'], serverRows(of)),
      ];
    })
    .join('\n\n');
}

type Of = (name: Contender) => Figures;
const costHead = ['CPU s/100k', 'peak MB'];
const costs = ({ cpuPer100k, peakMegabytes }: Figures) => [fixed(cpuPer100k, 1), whole(peakMegabytes)];

/** The rows whose rate was measured: a label, the rate, and its ratio to each of the others. */
function rateRow(label: string, rate: number, others: readonly Figures[], ...rest: readonly string[]): string[][] {
  if (Number.isNaN(rate)) return [];
  return [[label, whole(rate), ...others.map(({ perSecond }) => fixed(rate / perSecond, 2)), ...rest]];
}

function backups(of: Of): string[][] {
  const others = [of('sdk-backup'), of('bare-list')];
  return Object.entries({
    'SDK: list, stringify, upload': of('sdk-backup'),
    'bare listing loop': of('bare-list'),
    ours: of('backup'),
  }).flatMap(([label, own]) => rateRow(label, own.perSecond, others, ...costs(own), whole(own.storedPerRow)));
}

function restores(of: Of): string[][] {
  const [single, many, bare, own, dry] = [
    of('sdk-restore-1'),
    of('sdk-restore-64'),
    of('bare-put'),
    of('restore'),
    of('dry-run'),
  ];
  const others = [single, many, bare];
  return [
    ...rateRow('SDK, one by one', single.perSecond, others, ...costs(single)),
    ...rateRow('SDK, 64 at once', many.perSecond, others, ...costs(many)),
    ...rateRow('bare PUTs, 64 at once', bare.perSecond, others, ...costs(bare)),
    ...rateRow('ours: the writing phase', own.writing, others, '', ''),
    ...rateRow('ours: looking and writing', own.lookingAndWriting, others, '', ''),
    ...rateRow('ours: whole but for the settling wait', own.unsettled, others, '', ''),
    ...rateRow('ours: whole', own.perSecond, others, ...costs(own)),
    ...rateRow('ours: dry run (nothing written)', dry.perSecond, [], '', '', '', ...costs(dry)),
  ];
}

const partNames = [
  ...['scan1', 'seal1', 'reconcile1', 'publish1', 'finish1', 'settle'],
  ...['scan2', 'seal2', 'reconcile2', 'finish2'],
];

function parts(of: Of): string[][] {
  return (['backup', 'restore', 'dry-run'] as const).flatMap((contender) => {
    const own = of(contender);
    const found = partNames.map((name) => [name, own.part(name)] as const).filter(([, seconds]) => seconds > 0);
    const text = found.map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`).join(', ');
    return Number.isNaN(own.seconds) ? [] : [[contender, `${own.seconds.toFixed(1)}: ${text}`]];
  });
}

/** What every contender shares the machine with. */
function serverRows(of: Of): string[][] {
  return [
    ['a page of 100, bare listing', whole(of('bare-list').serverMicros * 100)],
    ['a PUT, bare', whole(of('bare-put').serverMicros)],
    ['our restore: installations whose rows a listing had to wait for', whole(of('restore').lateCount)],
  ].filter(([, value]) => value !== '');
}

function renderExtras({ throttled, twoHosts }: BenchResult): string[] {
  if (throttled.length === 0) return [];
  return section(
    'A hub that takes 500 requests a second, 5 ms; one host and two, 20 ms, 16 in flight each; 20,000 devices',
    ['', 'median'],
    [
      ['writing, in the least time the limit allows', median(throttled.map((run) => run.writingRatio)).toFixed(3)],
      ['requests refused', `${(100 * median(throttled.map((run) => run.refusedShare))).toFixed(2)} %`],
      ['writing by two hosts, times as fast', median(twoHosts.map((run) => run.writingRatio)).toFixed(2)],
      ['whole restore by two hosts, times as fast', median(twoHosts.map((run) => run.ratio)).toFixed(2)],
    ],
  );
}

const MEASURES: readonly (readonly [name: string, value: (figures: Figures) => number, digits: number])[] = [
  ['a second', ({ perSecond }) => perSecond, 0],
  ['seconds', ({ seconds }) => seconds, 1],
  ['CPU s/100k', ({ cpuPer100k }) => cpuPer100k, 1],
  ['peak MB', ({ peakMegabytes }) => peakMegabytes, 0],
  ['bytes/row', ({ storedPerRow }) => storedPerRow, 0],
];

/** How each figure grows with the number of devices, latency by latency; nothing with one size. */
function renderGrowth(result: BenchResult): string[] {
  const byLatency = Map.groupBy(casesOf(result), ({ latencyMs }) => latencyMs);
  return [...byLatency].flatMap(([latencyMs, sizes]) => {
    const rows = contenders.flatMap((contender) => {
      const all = sizes.map((where) => figuresOf(result, where, contender));
      return MEASURES.flatMap(([name, value, digits]) => growthRow(`${contender}: ${name}`, all.map(value), digits));
    });
    if (rows.length === 0) return [];
    const names = sizes.map(({ devices }) => whole(devices));
    return [`### Growth, ${latencyMs} ms`, table(['', ...names, 'last by first'], rows)];
  });
}

function growthRow(name: string, found: readonly number[], digits: number): string[][] {
  const known = found.filter((one) => !Number.isNaN(one));
  if (known.length < 2) return [];
  const growth = ((known.at(-1) ?? Number.NaN) / (known[0] ?? Number.NaN)).toFixed(2);
  return [[name, ...found.map((one) => (digits === 0 ? whole(one) : fixed(one, digits))), growth]];
}
