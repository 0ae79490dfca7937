/** Expiries from this year on mean "never"; the service writes 9999-12-31. */
const NEVER_FROM_YEAR = 9000;

/** When a row expires, in epoch milliseconds; `undefined` for never, and where the text is no time. */
export function expiryMsOf(expirationTime: string | undefined): number | undefined {
  if (expirationTime === undefined || !(Number(expirationTime.slice(0, 4)) < NEVER_FROM_YEAR)) return undefined;
  const atMs = Date.parse(withZone(expirationTime));
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** The service leaves the zone out of some times; they are in UTC. */
export function withZone(time: string): string {
  return /(?:Z|[+-]\d{2}:\d{2})$/i.test(time) ? time : `${time}Z`;
}
