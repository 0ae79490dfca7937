/** Numbers and times as people read them. */

export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 1 });
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

/** Seconds from one ISO instant to another, or to `nowMs`; `undefined` when either cannot be read. */
export function secondsBetween(from: string | undefined, to: string | number | undefined): number | undefined {
  const startMs = Date.parse(from ?? '');
  const endMs = typeof to === 'number' ? to : Date.parse(to ?? '');
  return Number.isNaN(startMs) || Number.isNaN(endMs) ? undefined : (endMs - startMs) / 1000;
}

export function formatAge(instant: string | undefined, nowMs: number): string {
  const seconds = secondsBetween(instant, nowMs);
  return seconds === undefined ? 'at an unknown time' : `${formatSeconds(seconds)} ago`;
}

/** Columns side by side, two spaces between them; the last one keeps its length. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
