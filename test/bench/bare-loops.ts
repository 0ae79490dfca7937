import { createHmac } from 'node:crypto';
import { Pool } from 'undici';
import { forEachAtOnce, readWrites } from './read-writes.ts';
import type { Deed, Job } from './rival.ts';

/**
 * The ceiling: the same requests with nothing around them. No parsing, no retries, no limiter, no storing; what it
 * reaches is what client library, kernel and server allow.
 */
export async function listBare({ hubUrl, connectionString }: Job): Promise<() => Promise<Deed>> {
  const pool = new Pool(hubUrl, { connections: 1 });
  const headers = { authorization: sasOf(connectionString) };
  return async () => {
    let count = 0;
    let token: string | undefined;
    do {
      const query: string = token === undefined ? '' : `&continuationtoken=${token}`;
      const answer = await pool.request({
        method: 'GET',
        path: `/primary/registrations?api-version=2020-06&$top=100${query}`,
        headers,
      });
      const body = Buffer.from(await answer.body.arrayBuffer());
      if (answer.statusCode !== 200) throw new Error(`The hub answered ${answer.statusCode}.`);
      token = String(answer.headers['x-ms-continuationtoken'] ?? '') || undefined;
      // The last page only: all others are full.
      count += token === undefined ? body.toString().split('<entry ').length - 1 : 100;
    } while (token !== undefined);
    return { count };
  };
}

export async function putBare(job: Job, concurrency: number): Promise<() => Promise<Deed>> {
  const pool = new Pool(job.hubUrl, { connections: concurrency });
  const authorization = sasOf(job.connectionString);
  return async () => {
    const writes = readWrites(job.writesFile);
    const count = await forEachAtOnce(writes, { concurrency, maxSeconds: job.maxSeconds }, async (write) => {
      const answer = await pool.request({
        method: 'PUT',
        path: `/secondary/${write.kind}s/${encodeURIComponent(write.id)}?api-version=2020-06`,
        headers: { authorization, 'content-type': contentTypes[write.kind] },
        body: write.body,
      });
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
  const [, endpoint = '', keyName = '', key = ''] =
    /Endpoint=([^;]+);SharedAccessKeyName=([^;]+);SharedAccessKey=([^;]+)/.exec(connectionString) ?? [];
  const resource = encodeURIComponent(endpoint.toLowerCase());
  const expiry = Math.floor(Date.now() / 1000) + 6 * 3600;
  const signature = createHmac('sha256', key).update(`${resource}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${keyName}`;
}
