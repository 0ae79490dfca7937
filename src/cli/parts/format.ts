/** Numbers, times and columns for people. By hand: libraries for tables draw boxes or keep trailing spaces. */

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

/** The first hub is in use from the beginning of time. */
export function formatSince(since: string | undefined): string {
  return Date.parse(since ?? '') === 0 ? 'from the beginning' : `since ${since}`;
}

/** Columns two spaces apart under their headings, or the text for no rows. */
export function formatTable(headings: readonly string[], body: readonly (readonly string[])[], none: string): string {
  if (body.length === 0) return `${none}\n`;
  const rows = [headings, ...body];
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widthOf(column))).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** A labelled line of a card or summary; left out when there is no text. */
export type Fact = readonly [label: string, text: string | undefined];

/** A text that is wider than the screen continues below its beginning. */
export function formatFacts(facts: readonly Fact[], labelWidth: number, columns?: number): string {
  return facts
    .filter(([, text]) => text !== undefined)
    .map(([label, text = '']) => {
      const indent = ' '.repeat(labelWidth + 2);
      return `  ${label.padEnd(labelWidth)}${wrap(text, columns === undefined ? undefined : columns - indent.length).join(`\n${indent}`)}\n`;
    })
    .join('');
}

/** A screen that is narrower gets lines of this width: its own breaks do the rest. */
const MIN_WIDTH = 30;

/** Lines of whole words; a word that is wider has a line of its own. */
export function wrap(text: string, columns: number | undefined): string[] {
  if (columns === undefined) return [text];
  const width = Math.max(MIN_WIDTH, columns);
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
