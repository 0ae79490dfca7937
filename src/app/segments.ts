import { setImmediate as letOthersIn } from 'node:timers/promises';
import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { segmentName } from '../core/paths.ts';
import { SECTION_COUNT, sectionsOf } from '../core/record.ts';
import { parseRegistration, type Registration } from '../core/registration.ts';
import type { Run } from '../core/run.ts';
import type { Segment } from '../core/scan-checkpoint.ts';
import { splitLines } from '../core/shard.ts';
import type { App } from './app.ts';
import { compressSmall, decompressSmall } from './codec.ts';
import type { Staging } from './staging.ts';

/** Compressed or read without a pause: some 10 ms of a full segment, in which this process answers nobody. */
const SECTIONS_AT_ONCE = 64;

/**
 * One blob for all that was gathered: sections one after another, each a gzip member. Its name is the step's own, so
 * that a step running twice never overwrites what a checkpoint names.
 */
export async function storeSegment(app: App, run: Run, sequence: number, staged: Staging): Promise<Segment[]> {
  if (staged.sizeBytes === 0) return [];
  const label = `${String(sequence).padStart(5, '0')}-${app.newSuffix()}`;
  const name = segmentName(run.kind, run.id, run.phase.pass, label);
  const members: Uint8Array[] = [];
  for (let section = 0; section < SECTION_COUNT; section += 1) {
    if (section % SECTIONS_AT_ONCE === 0) await letOthersIn();
    const text = staged.read(section, titleOf(name, section));
    members.push(text === undefined ? new Uint8Array() : compressSmall(text));
  }
  await app.blobs.put(name, concat(members), 'any');
  return [{ name, lengths: members.map((member) => member.length) }];
}

/** All rows staged for one shard. Throws `StoredDocumentInvalid`, naming the segment, when one is not as it was stored. */
export async function readStagedRows(
  app: App,
  segments: readonly Segment[],
  shard: number,
  shardCount: number,
): Promise<Registration[]> {
  const { first, length } = sectionsOf(shard, shardCount);
  const rows: Registration[] = [];
  for (const { name, lengths } of segments) {
    const offset = sum(lengths.slice(0, first));
    const wanted = lengths.slice(first, first + length);
    if (sum(wanted) === 0) continue;
    const blob = await app.blobs.get(name, { offset, length: sum(wanted) });
    if (blob === undefined) throw unusable(name, 'is missing');
    // One by one: over several members zlib takes whatever follows a zero byte for padding, and leaves it out.
    let at = 0;
    for (const [index, memberLength] of wanted.entries()) {
      if (index % SECTIONS_AT_ONCE === 0) await letOthersIn();
      if (memberLength === 0) continue;
      const text = decompressSmall(blob.bytes.subarray(at, at + memberLength), name);
      at += memberLength;
      for (const xml of readMember(text, name, first + index)) rows.push(parseRegistration(xml));
    }
  }
  return rows;
}

function readMember(text: string, name: string, section: number): string[] {
  const [title, ...lines] = splitLines(text);
  if (title !== titleOf(name, section)) throw unusable(name, 'holds what was stored elsewhere');
  const source = {
    code: 'StoredDocumentInvalid',
    what: `segment ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  return lines.map((line) => parseWith(z.string(), parseJson(line, source), source));
}

/** The first line of a member: by it a segment put in another's place is noticed, of this run or of another one. */
function titleOf(name: string, section: number): string {
  return JSON.stringify({ segment: name, section });
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The segment ${name} ${what}. Start a new run.`, { target: name });
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(sum(parts.map((part) => part.length)));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
