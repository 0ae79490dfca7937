import { DrError } from '../../core/errors.ts';
import type { FeedbackRun, Watermark } from '../../core/feedback/run.ts';
import { decodeFeedback, readVerdicts, type Verdict } from '../../core/feedback/verdict.ts';
import type { CallOptions, Feedback, FeedbackFile, FeedbackFiles } from '../../core/ports.ts';
import type { App } from '../app.ts';
import { sha256Hex } from '../stored/codec.ts';

/** What feedback said, and how far it was read. */
export interface Heard {
  readonly verdicts: readonly Verdict[];
  readonly counts: Pick<FeedbackRun['read'], 'files' | 'unreadable'>;
  /** Absent of a send: its errors are read whole each time. */
  readonly watermarks?: readonly Watermark[];
  readonly state?: string;
}

interface Access {
  readonly feedback: NonNullable<App['feedback']>;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** As many at once as memory allows: what is left is read the next time. */
const MOST_VERDICTS = 200_000;
/** By which a file that was written again is known. */
const TAIL_BYTES = 1024;

/** Reads what was added to the container's files since the watermarks, as far as the time allows. */
export async function hearFeedback(
  { world, feedback: { files } }: Access & Pick<App, 'world'>,
  source: Feedback,
  before: readonly Watermark[],
  call: CallOptions,
): Promise<Heard> {
  const address = await source.container(call);
  const verdicts: Verdict[] = [];
  const watermarks: Watermark[] = [];
  let [read, unreadable] = [0, 0];
  for (const file of await files.list(address)) {
    const known = before.find(({ name }) => name === file.name);
    const isDue = known?.etag !== file.etag || known.read < file.sizeBytes;
    if (!isDue || verdicts.length >= MOST_VERDICTS || world.now() >= call.deadlineAt) {
      if (known !== undefined) watermarks.push(known);
      continue;
    }
    const one = await readFile(files, address, file, known, () => world.now() < call.deadlineAt);
    for (const verdict of one.verdicts) verdicts.push(verdict);
    unreadable += one.unreadable;
    read += 1;
    watermarks.push(one.watermark);
  }
  return { verdicts, counts: { files: read, unreadable }, watermarks };
}

async function readFile(
  files: FeedbackFiles,
  address: string,
  { name, etag, sizeBytes }: FeedbackFile,
  known: Watermark | undefined,
  hasTime: () => boolean,
) {
  const get = (offset: number, length: number) => files.read(address, name, { offset, length });
  const isContinued = known !== undefined && known.read <= sizeBytes && (await tailAt(get, known.read)) === known.tail;
  const verdicts: Verdict[] = [];
  let unreadable = 0;
  let at = isContinued ? known.read : 0;
  let length = CHUNK_BYTES;
  while (at < sizeBytes && verdicts.length < MOST_VERDICTS && hasTime()) {
    const bytes = await get(at, Math.min(length, sizeBytes - at));
    if (bytes.length === 0) break;
    const { text, bytesOf } = decodeFeedback(bytes);
    const found = readVerdicts(text, false);
    for (const verdict of found.verdicts) verdicts.push(verdict);
    unreadable += found.unreadable;
    const done = bytesOf(found.done);
    // The last document may still be under way: it is read with what follows.
    if (done === 0 && at + bytes.length >= sizeBytes) break;
    if (done === 0) length *= 2;
    at += done;
  }
  return { verdicts, unreadable, watermark: { name, etag, read: at, tail: await tailAt(get, at) } };
}

async function tailAt(get: (offset: number, length: number) => Promise<Uint8Array>, at: number): Promise<string> {
  const from = Math.max(0, at - TAIL_BYTES);
  return sha256Hex(at === 0 ? '' : await get(from, at - from));
}

/** Reads the errors of one send. Throws `BadRequest` where the hub does not know it. */
export async function hearNotification(
  { feedback: { files } }: Access,
  source: Feedback,
  id: string,
  call: CallOptions,
): Promise<Heard> {
  const notification = await source.notification(id, call);
  if (notification === undefined) {
    const message =
      'The hub in use knows no send of that id. Hubs keep sends for some time only, and on the Standard tier.';
    throw new DrError('BadRequest', message, { target: 'notificationId' });
  }
  const { state, errors } = notification;
  if (errors === undefined) return { verdicts: [], counts: { files: 0, unreadable: 0 }, state };
  const parts: Uint8Array[] = [];
  for (let offset = 0; ; ) {
    const bytes = await files.read(errors, undefined, { offset, length: CHUNK_BYTES });
    parts.push(bytes);
    offset += bytes.length;
    if (bytes.length < CHUNK_BYTES) break;
  }
  const { text } = decodeFeedback(Buffer.concat(parts));
  const { verdicts, unreadable } = readVerdicts(text, true);
  return { verdicts, counts: { files: 1, unreadable }, state };
}
