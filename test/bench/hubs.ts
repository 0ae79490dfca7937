import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { startChild } from './child.ts';

/** `rowCount`: registrations in `primary`. `writeCount`: PUTs that restore them into an empty hub. */
const seededSchema = z.object({
  url: z.string(),
  tlsUrl: z.string(),
  certificate: z.string(),
  rowCount: z.number(),
  writeCount: z.number(),
});
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

/** How a client reaches the hubs, and what its process trusts. */
export interface Reach {
  readonly hubUrl: string;
  readonly connectionString: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts it and waits until `primary` is full. `folder` is for its certificate. */
export async function startHubs(devices: number, folder: string) {
  const child = startChild('./hub-server.ts', [String(devices)]);
  const { url, tlsUrl, certificate, ...seeded } = await child.reply(seededSchema);
  const certificatePath = join(folder, 'hubs.pem');
  await writeFile(certificatePath, certificate);
  // The key opens nothing: the server only looks whether a request is signed.
  const key = createHash('sha256').update('benchmark').digest('base64');
  const reach = (hubUrl: string, env: Reach['env']): Reach => ({
    hubUrl,
    connectionString: `Endpoint=${hubUrl}/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${key}`,
    env,
  });
  return {
    ...seeded,
    plain: reach(url, {}),
    overTls: reach(tlsUrl, { NODE_EXTRA_CA_CERTS: certificatePath }),
    pid: child.pid,
    setLatency: (latencyMs: number) => child.ask({ latencyMs }, statsSchema),
    /** Empties `secondary`, and its counts. */
    clear: () => child.ask({ clear: true }, statsSchema),
    /** Puts as many rows of other devices into `secondary`. */
    addStrangers: (strangers: number) => child.ask({ strangers }, statsSchema),
    stats: () => child.ask({}, statsSchema),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
