/** Tokens left at an instant. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/**
 * Takes one token if there is one; a bucket that is not there yet is full. In any span of time no more are taken than
 * `burst` and what flowed in meanwhile; a clock set back lets none in. Gives the milliseconds until the next token, 0 when one was taken.
 */
export function takeToken(
  bucket: Bucket | undefined,
  { requestsPerSecond, burst }: { readonly requestsPerSecond: number; readonly burst: number },
  nowMs: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const inflow = bucket === undefined ? burst : (Math.max(0, nowMs - bucket.atMs) / 1000) * requestsPerSecond;
  const tokens = Math.min(burst, (bucket?.tokens ?? 0) + inflow);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, waitMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, waitMs: ((1 - tokens) / requestsPerSecond) * 1000 };
}
