import { setTimeout as sleep } from 'node:timers/promises';
import type { Outgoing } from './front.ts';
import type { HubResponse } from './http-types.ts';

/** How an answer comes to harm on its way. An empty body cannot be truncated. */
export interface Damage {
  /** Bytes of the body every 20 ms. */
  readonly slowBytes?: number | undefined;
  /** The connection ends in the middle of the body. */
  readonly truncateBody?: boolean | undefined;
  /** A whole answer whose body ends in the middle. */
  readonly malformedBody?: boolean | undefined;
}

const trickleMs = 20;
let trackingNumber = 0;

/** Writes an answer with the headers every answer has. */
export async function writeAnswer(
  outgoing: Outgoing,
  response: HubResponse,
  generation: number,
  damage: Damage = {},
): Promise<void> {
  const { slowBytes, truncateBody = false, malformedBody = false } = damage;
  if (slowBytes === undefined && !truncateBody && !malformedBody) {
    const { body = '' } = response;
    writeHead(outgoing, response, generation, typeof body === 'string' ? Buffer.byteLength(body) : undefined);
    if (typeof body !== 'string') for (const part of body) outgoing.write(part);
    outgoing.end(typeof body === 'string' ? body : '');
    return;
  }
  const intact = Buffer.from([response.body ?? ''].flat().join(''));
  const whole = malformedBody ? Buffer.concat([firstHalf(intact), Buffer.from('<')]) : intact;
  writeHead(outgoing, response, generation, whole.length);
  const sent = truncateBody ? firstHalf(whole) : whole;
  const step = slowBytes ?? sent.length;
  for (let at = 0; at < sent.length && !outgoing.destroyed; at += step) {
    if (at > 0) await sleep(trickleMs);
    await writeChunk(outgoing, sent.subarray(at, at + step));
  }
  if (sent.length < whole.length) outgoing.destroy();
  else outgoing.end('');
}

/** @param sizeBytes undefined for a body that goes out in parts. */
function writeHead(
  outgoing: Outgoing,
  { status, headers }: HubResponse,
  generation: number,
  sizeBytes: number | undefined,
): void {
  trackingNumber += 1;
  const trackingId = `00000000-0000-4000-8000-${trackingNumber.toString(16).padStart(12, '0')}`;
  outgoing.writeHead(status, {
    Server: generation === 2022 ? 'Microsoft-HTTPAPI/2.0' : 'Kestrel',
    'Strict-Transport-Security': 'max-age=2592000',
    TrackingId: trackingId,
    'x-ms-correlation-request-id': trackingId,
    ...(sizeBytes !== undefined && status !== 204 ? { 'Content-Length': sizeBytes } : {}),
    ...headers,
  });
}

function firstHalf(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

/** Resolves when the chunk is on its way, or the client is gone, and then there is nothing left to do. */
async function writeChunk(outgoing: Outgoing, chunk: Buffer): Promise<void> {
  await new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()));
}
