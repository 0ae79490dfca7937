import { type Case, casesOf, type Figures, figuresOf } from './figures.ts';
import type { BenchResult } from './result.ts';
import { type Contender, contenders } from './sample.ts';
import { table, whole } from './table.ts';

const MEASURES: readonly (readonly [name: string, value: (figures: Figures) => number, digits: number])[] = [
  ['a second', ({ perSecond }) => perSecond, 0],
  ['seconds', ({ seconds }) => seconds, 1],
  ['CPU s/100k', ({ cpuPer100k }) => cpuPer100k, 1],
  ['peak MB', ({ peakBytes }) => peakBytes / 2 ** 20, 0],
  ['bytes/row', ({ storedPerRow }) => storedPerRow, 0],
];

/** How each figure grows with the number of devices, latency by latency; nothing with one size. */
export function renderGrowth(result: BenchResult): string[] {
  const cases = casesOf(result);
  const latencies = [...new Set(cases.map(({ latencyMs }) => latencyMs))].sort((a, b) => a - b);
  return latencies.flatMap((latencyMs) => {
    const sizes = cases.filter((where) => where.latencyMs === latencyMs);
    if (sizes.length < 2) return [];
    const names = sizes.map(({ devices }) => whole(devices));
    const rows = contenders.flatMap((contender) => rowsOf(result, sizes, contender));
    return [`### Growth, ${latencyMs} ms`, table(['', ...names, 'last by first'], rows)];
  });
}

function rowsOf(result: BenchResult, sizes: readonly Case[], contender: Contender): string[][] {
  const all = sizes.map((where) => figuresOf(result, where, contender));
  return MEASURES.flatMap(([name, value, digits]) => {
    const found = all.map((figures) => (figures === undefined ? Number.NaN : value(figures)));
    const known = found.filter((one) => !Number.isNaN(one));
    if (known.length < 2) return [];
    const growth = ((known.at(-1) ?? Number.NaN) / (known[0] ?? Number.NaN)).toFixed(2);
    return [[`${contender}: ${name}`, ...found.map((one) => (digits === 0 ? whole(one) : fixed(one))), growth]];
  });
}

function fixed(value: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(1);
}
