import { randomBytes } from 'node:crypto';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { World } from './core/ports.ts';

const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);

/** A shard unpacks to some megabytes: in the usual 16 KB chunks, moving from chunk to chunk costs a quarter of it. */
const CHUNK_BYTES = 256 * 1024;

/** How far the storage's clock is ahead of this host's. */
let aheadMs = 0;
/** The storage says its time in whole seconds, and its answers take time. */
const SAME_CLOCK_MS = 2000;

/** The storage has just answered, and said what time it is. */
export function noteStorageTime(date: Date): void {
  const ms = date.getTime() - Date.now();
  aheadMs = Math.abs(ms) > SAME_CLOCK_MS ? ms : 0;
}

/** The world as it is: the clock, the event loop and the thread pool of this process. */
export const realWorld: World = {
  now: Date.now,
  storageNow: () => Date.now() + aheadMs,
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
