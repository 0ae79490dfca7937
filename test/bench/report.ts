import { markdownTable } from 'markdown-table';
import { checkBars } from './bars.ts';
import { type BenchResult, casesOf, contenders, type FigureOf, figuresAt, median, ownRuns } from './figures.ts';

/** Everything measured as Markdown: the cases, how figures grow, and the bars. What did not run is left out. */
export function renderReport(result: BenchResult): string {
  const failures = result.samples.filter(({ failure }) => failure !== undefined);
  const bars = checkBars(result).map(({ name, limit, found, isMet, beside = '' }) => [
    ...[name, limit, found.toFixed(2), isMet ? 'yes' : '**no**', beside],
  ]);
  return [
    result.machine,
    renderCases(result),
    ...renderGrowth(result),
    ...section(
      'What could not be done',
      ['who', 'devices', 'ms', 'why'],
      failures.map((one) => [one.subject, whole(one.devices), whole(one.latencyMs), one.failure ?? '']),
    ),
    ...renderOthers(result),
    ...section('Bars', ['bar', 'limit', 'found', 'met', 'beside it'], bars),
  ].join('\n\n');
}

/** For each case a table of backups, one of restores, the parts of ours, and what the hub server cost. */
export function renderCases(result: BenchResult, only?: number): string {
  const cases = casesOf(result).filter(({ devices }) => only === undefined || devices === only);
  return cases
    .flatMap((where) => {
      const of = figuresAt(result, where);
      return [
        `### ${whole(where.devices)} devices, ${where.latencyMs} ms${where.isTls ? ', TLS' : ''}`,
        ...section('', ['backup', 'rows/s', 'x SDK', 'x bare', ...costHead, 'bytes/row'], backupRows(of)),
        ...section('', ['restore', 'PUTs/s', 'x SDK', 'x SDK 64', 'x bare', ...costHead], restoreRows(of)),
        ...section(
          '',
          ['part of ours', 'seconds'],
          ownRuns.flatMap((name) => partsRow(of, name)),
        ),
        ...section('', ['hub server', ''], serverRows(of)),
      ];
    })
    .join('\n\n');
}

const costHead = ['CPU s/100k', 'peak MB'];

function costs(of: FigureOf, subject: Parameters<FigureOf>[0]): string[] {
  return [fixed(of(subject, 'cpuPer100k'), 1), whole(of(subject, 'peakMegabytes'))];
}

/** A label, a rate, and its ratio to each of the others; nothing for a rate that was not measured. */
function rateRow(label: string, rate: number, others: readonly number[], rest: readonly string[]): string[][] {
  if (Number.isNaN(rate)) return [];
  return [[label, whole(rate), ...others.map((other) => fixed(rate / other, 2)), ...rest]];
}

function backupRows(of: FigureOf): string[][] {
  const rows = [
    ['SDK: list, stringify, upload', 'sdk-backup'],
    ['bare listing loop', 'bare-list'],
    ['ours', 'backup'],
  ] as const;
  const others = [of('sdk-backup', 'perSecond'), of('bare-list', 'perSecond')];
  return rows.flatMap(([label, subject]) => {
    const rest = [...costs(of, subject), whole(of(subject, 'bytesPerRow'))];
    return rateRow(label, of(subject, 'perSecond'), others, rest);
  });
}

/** What a part of ours costs is in the whole. */
function restoreRows(of: FigureOf): string[][] {
  const rows = [
    ['SDK, one by one', 'sdk-restore-1', 'perSecond'],
    ['SDK, 64 at once', 'sdk-restore-64', 'perSecond'],
    ['bare PUTs, 64 at once', 'bare-put', 'perSecond'],
    ['ours: the writing phase', 'restore', 'writing'],
    ['ours: looking and writing', 'restore', 'lookingAndWriting'],
    ['ours: whole but for the settling wait', 'restore', 'unsettled'],
    ['ours: whole', 'restore', 'perSecond'],
    ['ours: dry run (nothing written)', 'dry-run', 'perSecond'],
  ] as const;
  const peers = (['sdk-restore-1', 'sdk-restore-64', 'bare-put'] as const).map((peer) => of(peer, 'perSecond'));
  return rows.flatMap(([label, subject, figure]) => {
    const others = subject === 'dry-run' ? peers.map(() => Number.NaN) : peers;
    return rateRow(label, of(subject, figure), others, figure === 'perSecond' ? costs(of, subject) : ['', '']);
  });
}

const partNames = [
  ...['scan1', 'seal1', 'reconcile1', 'publish1', 'finish1', 'settle'],
  ...['scan2', 'seal2', 'reconcile2', 'finish2'],
];

function partsRow(of: FigureOf, subject: (typeof ownRuns)[number]): string[][] {
  const seconds = of(subject, 'seconds');
  if (Number.isNaN(seconds)) return [];
  const parts = partNames.flatMap((name) => {
    const part = of(subject, name);
    return part > 0 ? `${name} ${part.toFixed(1)}` : [];
  });
  return [[subject, `${seconds.toFixed(1)}: ${parts.join(', ')}`]];
}

/** What every contender shares the machine with. */
function serverRows(of: FigureOf): string[][] {
  return [
    ['us of processor for a page of 100, bare listing', whole(of('bare-list', 'serverMicros') * 100)],
    ['us of processor for a PUT, bare', whole(of('bare-put', 'serverMicros'))],
    ['our restore: installations whose rows a listing had to wait for', whole(of('restore', 'lateCount'))],
  ].filter(([, value]) => value !== '');
}

/** What is no contender: a row for each figure. */
function renderOthers({ samples }: BenchResult): string[] {
  const titles = {
    status: 'Status calls during a restore',
    package: 'What is deployed',
    throttled: 'A hub that limits its rate',
    'two-hosts': 'Two hosts instead of one',
    sync: 'A sync of the standby, beside its own listing of that',
    'large-target': 'Memory of a restore into a target that holds far more than the snapshot',
  };
  return Object.entries(titles).flatMap(([subject, title]) => {
    const own = samples.filter((one) => one.subject === subject);
    const cases = Map.groupBy(own, ({ devices, latencyMs }) => `${whole(devices)} devices, ${latencyMs} ms`);
    const rows = [...cases].flatMap(([where, all]) =>
      Object.keys(all[0]?.figures ?? {}).map((name) => {
        const found = median(all.flatMap(({ figures }) => figures[name] ?? []));
        return [...(subject === 'package' ? [] : [where]), name, Number(found.toFixed(3)).toLocaleString('en')];
      }),
    );
    return section(title, [...(subject === 'package' ? [] : ['case']), 'figure', 'median'], rows);
  });
}

const grown = { perSecond: 0, seconds: 1, cpuPer100k: 1, peakMegabytes: 0, bytesPerRow: 0 };

/** How each figure grows with the number of devices, latency by latency; nothing with one size. */
function renderGrowth(result: BenchResult): string[] {
  const byLatency = Map.groupBy(
    casesOf(result).filter(({ isTls }) => !isTls),
    ({ latencyMs }) => latencyMs,
  );
  return [...byLatency].flatMap(([latencyMs, sizes]) => {
    const rows = contenders.flatMap((contender) =>
      Object.entries(grown).flatMap(([name, digits]) => {
        const found = sizes.map((where) => figuresAt(result, where)(contender, name));
        const known = found.filter((one) => !Number.isNaN(one));
        const growth = ((known.at(-1) ?? 0) / (known[0] ?? 1)).toFixed(2);
        const texts = found.map((one) => (digits === 0 ? whole(one) : fixed(one, digits)));
        return known.length < 2 ? [] : [[`${contender}: ${name}`, ...texts, growth]];
      }),
    );
    const head = ['', ...sizes.map(({ devices }) => whole(devices)), 'last by first'];
    return section(`Growth, ${latencyMs} ms`, head, rows);
  });
}

/** A section in Markdown, or nothing without rows. */
function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [...(title === '' ? [] : [`### ${title}`]), table(head, rows)];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return markdownTable([head, ...rows], { alignDelimiters: false });
}

/** Rounded; empty for what was not measured. */
function whole(value: number): string {
  return Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en');
}

/** Empty for what was not measured. */
function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(digits);
}
