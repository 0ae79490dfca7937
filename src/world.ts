import { randomBytes } from 'node:crypto';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { World } from './core/ports.ts';

const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);

/** A shard unpacks to some megabytes: in the usual 16 KB chunks, moving from chunk to chunk costs a quarter of it. */
const CHUNK_BYTES = 256 * 1024;

/** The world as it is: the clock, the event loop and the thread pool of this process. */
export const realWorld: World = {
  now: Date.now,
  sleep: (milliseconds) => wait(milliseconds),
  repeat,
  nextTurn: () => setImmediate(),
  newSuffix: () => randomBytes(3).toString('hex'),
  /** Level 1: a third of level 6's time for 8 % more bytes, and bytes are never the limit. */
  gzip: (bytes) =>
    // Lines compress to less than a quarter, so that the result comes in one piece instead of many joined ones.
    gzipBytes(bytes, { level: 1, memLevel: 9, chunkSize: Math.max(CHUNK_BYTES, bytes.length >>> 2) }),
  gunzip: (bytes) => gunzipBytes(bytes, { chunkSize: CHUNK_BYTES }),
};

function repeat(everyMs: number, work: () => Promise<void>): () => void {
  let isStopped = false;
  const next = (): void => {
    if (!isStopped) timer = setTimeout(() => void work().then(next), everyMs).unref();
  };
  let timer: NodeJS.Timeout | undefined;
  next();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
