import { createHash } from 'node:crypto';
import { z } from 'zod';
import { startChild } from './child.ts';

const seededSchema = z.object({ url: z.string(), rowCount: z.number(), writeCount: z.number() });
const hubStatsSchema = z.object({
  rowCount: z.number(),
  requestCount: z.number(),
  putCount: z.number(),
  lateCount: z.number(),
});
const statsSchema = z.object({ primary: hubStatsSchema, secondary: hubStatsSchema });

/** The hub server as a process of its own. */
export interface Hubs extends AsyncDisposable {
  readonly url: string;
  readonly connectionString: string;
  readonly pid: number;
  /** Registrations in `primary`. */
  readonly rowCount: number;
  /** PUTs that restore them into an empty hub. */
  readonly writeCount: number;
  setLatency(latencyMs: number): Promise<unknown>;
  /** Empties `secondary`, and its counts. */
  clear(): Promise<unknown>;
  stats(): Promise<z.infer<typeof statsSchema>>;
}

/** Starts it and waits until `primary` is full. */
export async function startHubs(devices: number): Promise<Hubs> {
  const child = startChild('./hub-server.ts', [String(devices)]);
  const seeded = await child.reply(seededSchema);
  // The key opens nothing: the server only looks whether a request is signed.
  const key = createHash('sha256').update('benchmark').digest('base64');
  return {
    ...seeded,
    connectionString: `Endpoint=${seeded.url}/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${key}`,
    pid: child.pid,
    setLatency: (latencyMs) => child.ask({ kind: 'latency', latencyMs }, z.unknown()),
    clear: () => child.ask({ kind: 'clear' }, z.unknown()),
    stats: () => child.ask({ kind: 'stats' }, statsSchema),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
