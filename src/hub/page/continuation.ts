/*
 * A token is opaque, and goes back as it came. Recorded ones are percent-encoded base64 of `31(n);2`, and lead to the row
 * of that number: only where a hub's first page shows that they still do, one is made that leads past a row.
 */

/**
 * The token one row after `token`, where `second`, which the hub gave for the row after its first, shows that its tokens
 * count rows; `undefined` where they do not.
 */
export function tokenOneOn(token: string, second: string | undefined): string | undefined {
  const [place, afterFirst] = [read(token), read(second ?? '')];
  if (place === undefined || afterFirst?.row !== 1 || afterFirst.start !== place.start) return undefined;
  const next = Buffer.from(`${place.start}${place.row + 1}`).toString('base64');
  return encodeURIComponent(next);
}

function read(token: string): { readonly start: string; readonly row: number } | undefined {
  const text = Buffer.from(token.replaceAll(/%3d/gi, '='), 'base64').toString('latin1');
  const [, start, row] = /^([\x20-\x7e]*;)(\d{1,12})$/.exec(text) ?? [];
  return start === undefined ? undefined : { start, row: Number(row) };
}
