/** Numbers, times and columns for people. By hand: libraries for tables draw boxes or keep trailing spaces. */
import { tool } from './tool.ts';

/** `1,234,567`, `12.5`. By hand: the first number that `Intl` formats takes a tenth of the time a command takes. */
export function formatCount(count: number): string {
  const [whole = '', fraction] = String(Math.round(count * 10) / 10).split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `1 record`, `2,000 records`; of several words, the first is counted: `1 row read`. */
export function formatNumber(count: number, noun: string): string {
  const [counted = '', ...rest] = noun.split(' ');
  return [formatCount(count), count === 1 ? counted : `${counted}s`, ...rest].join(' ');
}

/** Parts of a sentence, without those there is nothing to say of. */
export function joined(separator: string, parts: readonly (string | false | undefined)[]): string {
  return parts.filter(Boolean).join(separator);
}

/** `1,950 created, 50 kept live` */
export function formatCounts(counts: readonly (readonly [string, number])[]): string {
  return counts.map(([name, count]) => `${formatCount(count)} ${name}`).join(', ');
}

/** `12 %`, rounded down; `under 1 %` where that would say that there are none. */
export function formatPercent(percent: number, count: number): string {
  return percent === 0 && count > 0 ? 'under 1 %' : `${formatCount(percent)} %`;
}

/** `12 s`, `3 min 5 s`, `2 h 10 min`, `3 days`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

export function formatAge(instant: string | undefined, nowMs: number): string {
  const startMs = Date.parse(instant ?? '');
  return Number.isNaN(startMs) ? 'at an unknown time' : `${formatSeconds((nowMs - startMs) / 1000)} ago`;
}

/** `6,195 a second`, `3.4 a second`. */
export function formatRate(perSecond: number): string {
  return `${formatCount(perSecond < 10 ? perSecond : Math.round(perSecond))} a second`;
}

/** The same text with its instants to the second: of those before a `Z`. */
export function inSeconds(text: string): string {
  return text.replace(/(\dT\d\d:\d\d:\d\d)\.\d+(?=Z)/g, '$1');
}

/** The first hub is in use from the beginning of time. */
export function formatSince(since: string | undefined): string {
  return Date.parse(since ?? '') === 0 ? 'from the beginning' : `since ${since}`;
}

const GAP = '  ';
const INDENT = '    ';

/**
 * Columns under their headings, or the text for no rows. Those that a screen of that width has no room for follow below
 * each row, by their headings: nothing is cut.
 */
export function formatTable(
  headings: readonly string[],
  cells: readonly (readonly string[])[],
  none: string,
  columns?: number,
): string {
  const body = cells.map((row) => row.map(inSeconds));
  if (body.length === 0) return `${none}\n`;
  const widths = headings.map(({ length }, at) =>
    body.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), length),
  );
  const count = countFitting(widths, columns ?? Number.POSITIVE_INFINITY);
  const lineOf = (row: readonly string[]): string =>
    row
      .slice(0, count)
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  const lines = body.flatMap((row) => [lineOf(row), ...restOf(headings, row, count, columns)]);
  return [lineOf(headings), ...lines].map((line) => `${line}\n`).join('');
}

function countFitting(widths: readonly number[], columns: number): number {
  let right = -GAP.length;
  for (const [at, width] of widths.entries()) {
    right += GAP.length + width;
    if (right > columns) return Math.max(1, at);
  }
  return widths.length;
}

/** Each cell after its heading, as many in a line as there is room for. */
function restOf(headings: readonly string[], row: readonly string[], from: number, columns?: number): string[] {
  const width = columns === undefined ? undefined : columns - INDENT.length;
  const lines: string[] = [];
  for (const [at, heading] of headings.entries()) {
    const cell = row[at] ?? '';
    if (at < from || cell === '' || cell === '-') continue;
    const text = `${heading} ${cell}`;
    const joinedLine = lines.length === 0 ? text : `${lines.at(-1)}${GAP}${text}`;
    if (width === undefined || joinedLine.length <= width) lines.splice(-1, 1, joinedLine);
    else lines.push(...wrap(text, width));
  }
  return lines.map((line) => `${INDENT}${line}`);
}

/** A labelled line of a card or summary; left out when there is no text. What is to be pasted is never broken. */
export type Fact = readonly [label: string, text: string | undefined, isPasted?: true];

/** A text that is wider than the screen continues below its beginning. */
export function formatFacts(facts: readonly Fact[], labelWidth: number, columns?: number): string {
  return facts
    .filter(([, text]) => text !== undefined)
    .map(([label, text = '', isPasted]) => {
      const left = label.padEnd(labelWidth);
      const indent = ' '.repeat(labelWidth + 2);
      const width = columns === undefined || isPasted ? undefined : columns - left.length - 2;
      return `  ${left}${wrap(inSeconds(text), width).join(`\n${indent}`)}\n`;
    })
    .join('');
}

/** A sentence or more on a line of its own. */
export function paragraph(text: string, columns: number | undefined): string {
  return `${wrap(inSeconds(text), columns).join('\n')}\n`;
}

/** A screen that is narrower gets lines of this width: its own breaks do the rest. */
const MIN_WIDTH = 30;

/** Commands of this tool as they are pasted, and other words. */
const unbroken = new RegExp(
  `["“(]?${tool.replace(/[^\w ]/g, '\\$&')} [a-z-]+(?: (?:--[a-z-]+|[A-Z\\d]\\S*|latest\\b))*\\S*|\\S+`,
  'g',
);

/** Lines of whole words and commands; one that is wider has a line of its own. */
export function wrap(text: string, columns: number | undefined): string[] {
  if (columns === undefined) return [text];
  const width = Math.max(MIN_WIDTH, columns);
  const lines = [''];
  for (const word of text.match(unbroken) ?? []) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
