/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Rounded; empty for what was not measured. */
export function whole(value: number): string {
  return Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en');
}

/** One by the other; empty when either was not measured. */
export function ratio(own: number, other: number | undefined): string {
  const found = own / (other ?? Number.NaN);
  return Number.isNaN(found) ? '' : found.toFixed(2);
}
