import { Pool } from 'undici';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createSas } from '../../src/hub/access/sas.ts';
import { ByteStore } from './byte-store.ts';
import { firstWrites, type Job, type Outcome } from './workload.ts';

/**
 * The ceiling: the same requests with nothing around them. No parsing, no retries, no limiter, no storing; what it
 * reaches is what client library, kernel and server allow.
 */
export async function listBare({ hubUrl, connectionString }: Job): Promise<() => Promise<Outcome>> {
  const pool = new Pool(hubUrl, { connections: 1, allowH2: false });
  const headers = { authorization: sasOf(connectionString) };
  return async () => {
    let count = 0;
    for (let token: string | undefined = ''; token !== undefined; ) {
      const query: string = token === '' ? '' : `&continuationtoken=${token}`;
      const path = `/primary/registrations?api-version=2020-06&$top=100${query}`;
      const answer = await pool.request({ method: 'GET', path, headers });
      if (answer.statusCode !== 200) throw new Error(`The hub answered ${answer.statusCode}.`);
      token = answer.headers['x-ms-continuationtoken']?.toString();
      if (token === undefined) {
        count += (await answer.body.text()).split('<entry ').length - 1;
      } else {
        // All pages but the last are full. Their bytes are received and let go: to join them would be a copy.
        for await (const _piece of answer.body);
        count += 100;
      }
    }
    return { count };
  };
}

/** They take longer than a rival is given. */
const MOST_PUTS = 400_000;

/** The PUTs are prepared in memory, so that making them is no part of them. */
export async function putBare(job: Job, concurrency: number): Promise<() => Promise<Outcome>> {
  const pool = new Pool(job.hubUrl, { connections: concurrency, allowH2: false });
  const authorization = sasOf(job.connectionString);
  const puts: { readonly path: string; readonly contentType: string; readonly body: Buffer }[] = [];
  // Outside the heap, where they cost no garbage collection.
  const bodies = new ByteStore();
  for (const { kind, id, body } of firstWrites(job.devices, MOST_PUTS)) {
    const path = `/secondary/${kind}s/${encodeURIComponent(id)}?api-version=2020-06`;
    const bytes = Buffer.from(body);
    puts.push({ path, contentType: contentTypes[kind], body: bodies.at(bodies.keep(bytes), bytes.length) });
  }
  return async () => {
    const count = await forEachAtOnce(puts, { concurrency, maxSeconds: job.maxSeconds }, async (put) => {
      const { path, contentType, body } = put;
      const headers = { authorization, 'content-type': contentType };
      const answer = await pool.request({ method: 'PUT', path, headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`The hub answered ${answer.statusCode}.`);
    });
    return { count };
  };
}

const contentTypes = {
  registration: 'application/atom+xml;type=entry;charset=utf-8',
  installation: 'application/json;charset=utf-8',
};

function sasOf(connectionString: string): string {
  return createSas(parseHubConnection(connectionString, 'any', 'benchmark'), Date.now)();
}

/** Runs `work` on each item, `concurrency` at a time, until the items or the time are used up; gives their number. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  { concurrency, maxSeconds }: { readonly concurrency: number; readonly maxSeconds: number },
  work: (item: T) => Promise<unknown>,
): Promise<number> {
  const endAt = performance.now() + maxSeconds * 1000;
  const rest = items.values();
  let count = 0;
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      await work(item);
      count += 1;
      if (performance.now() >= endAt) return;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return count;
}
