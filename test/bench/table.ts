import { markdownTable } from 'markdown-table';

/** A section in Markdown, or nothing without rows. */
export function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [...(title === '' ? [] : [`### ${title}`]), table(head, rows)];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return markdownTable([head, ...rows], { alignDelimiters: false });
}

/** Rounded; empty for what was not measured. */
export function whole(value: number): string {
  return Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en');
}

/** Empty for what was not measured. */
export function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(digits);
}
