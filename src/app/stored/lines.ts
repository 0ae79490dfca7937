import { isUtf8 } from 'node:buffer';
import type { Lines } from '../../core/snapshot/shard.ts';
import { invalidDocument } from './invalid.ts';

const LINE_FEED = 10;

/**
 * The lines of a text that stays as bytes, outside the heap: of a shard's, one is needed at a time. Throws
 * `StoredDocumentInvalid`, naming the blob, when it is no UTF-8.
 */
export function linesOf(bytes: Buffer, blobName: string): Lines {
  if (!isUtf8(bytes)) {
    throw invalidDocument({ what: 'document', name: blobName, why: 'is damaged: it is no UTF-8' });
  }
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at = endOfLine(bytes, at) + 1) starts.push(at);
  return {
    count: starts.length,
    at(index) {
      const start = starts[index];
      return start === undefined ? undefined : bytes.toString('utf8', start, endOfLine(bytes, start));
    },
  };
}

function endOfLine(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(LINE_FEED, start);
  return end === -1 ? bytes.length : end;
}
