import { createHash } from 'node:crypto';
import { z } from 'zod';
import { startChild } from './child.ts';

/** `rowCount`: registrations in `primary`. `writeCount`: PUTs that restore them into an empty hub. */
const seededSchema = z.object({ url: z.string(), rowCount: z.number(), writeCount: z.number() });
const hubStatsSchema = z.object({
  rowCount: z.number(),
  /** Of any kind. */
  requestCount: z.number(),
  putCount: z.number(),
  /** Installations whose rows were made while a listing waited for them. */
  lateCount: z.number(),
});
const statsSchema = z.object({ primary: hubStatsSchema, secondary: hubStatsSchema });

/** The hub server as a process of its own. */
export type Hubs = Awaited<ReturnType<typeof startHubs>>;

/** Starts it and waits until `primary` is full. */
export async function startHubs(devices: number) {
  const child = startChild('./hub-server.ts', [String(devices)]);
  const seeded = await child.reply(seededSchema);
  // The key opens nothing: the server only looks whether a request is signed.
  const key = createHash('sha256').update('benchmark').digest('base64');
  return {
    ...seeded,
    connectionString: `Endpoint=${seeded.url}/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${key}`,
    pid: child.pid,
    setLatency: (latencyMs: number) => child.ask({ latencyMs }, statsSchema),
    /** Empties `secondary`, and its counts. */
    clear: () => child.ask({ clear: true }, statsSchema),
    stats: () => child.ask({}, statsSchema),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
