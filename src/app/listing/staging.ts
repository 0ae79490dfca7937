import type { Octets } from '../../core/bytes/utf8.ts';
import { packTable, sizeOfRow, titleOf, toFrame, writeRow } from './segment-format.ts';

/** A segment to be stored: the sections' tables one after another, then the sections' rows. */
export interface PackedSegment {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of each section's rows. */
  readonly lengths: readonly number[];
  /** Of each section's table. */
  readonly tableLengths: readonly number[];
}

/** The rows a scan has listed and not stored yet, by section. */
export interface Staging {
  readonly sectionCount: number;
  readonly isEmpty: boolean;
  /** What there is to be stored already, packed. */
  readonly packedBytes: number;
  /** A row, and its numbers for the section's table, of every row as many. */
  add(section: number, row: Octets, numbers: readonly number[]): void;
  /** Packs the rows there are once they are many; others are let in meanwhile. */
  packFull(): Promise<void>;
  /** All of it as one segment, and the staging empty; `undefined` when it was. */
  take(): Promise<PackedSegment | undefined>;
}

/** Rows are packed when there are this many: each section's share is then large enough to pack well. */
const RAW_BYTES = 16 * 1024 * 1024;
/** Of a small hub's scan. Grows as rows come: V8 collects garbage for each buffer as large as the whole. */
const FIRST_BYTES = 256 * 1024;
const GROWTH = 4;
/** The page that fills a staging up; more is made room for. */
const HEADROOM_BYTES = 1024 * 1024;
/** Packed without a pause: some 2 ms in which this process answers no call. */
const BYTES_AT_ONCE = 256 * 1024;

/**
 * Rows are kept as bytes outside the JavaScript heap: as strings they would outlive every young generation, and moving
 * them twice and marking them over and over costs more than the rest of a scan.
 */
export function createStaging(sectionCount: number, newName: () => string, nextTurn: () => Promise<void>): Staging {
  let raw = Buffer.allocUnsafeSlow(FIRST_BYTES);
  // Beginning and end of each row with its length.
  const bounds: number[][] = Array.from({ length: sectionCount }, () => []);
  const tables: number[][] = Array.from({ length: sectionCount }, () => []);
  let frames: Uint8Array[][] = Array.from({ length: sectionCount }, () => []);
  let [rawBytes, packedBytes] = [0, 0];
  let name = newName();

  const gather = (section: number): Uint8Array => {
    const own = bounds[section] ?? [];
    const title = titleOf({ segment: name, section, part: 'rows' });
    let size = title.length;
    for (let at = 0; at < own.length; at += 2) size += (own[at + 1] ?? 0) - (own[at] ?? 0);
    const rows = Buffer.allocUnsafe(size);
    rows.set(title);
    let end = title.length;
    for (let at = 0; at < own.length; at += 2) end += raw.copy(rows, end, own[at], own[at + 1]);
    own.length = 0;
    return rows;
  };
  const pack = async (): Promise<void> => {
    let sincePause = 0;
    for (let section = 0; section < sectionCount; section += 1) {
      if (bounds[section]?.length === 0) continue;
      const rows = gather(section);
      const frame = toFrame(rows);
      frames[section]?.push(frame);
      packedBytes += frame.length;
      sincePause += rows.length;
      if (sincePause < BYTES_AT_ONCE) continue;
      sincePause = 0;
      await nextTurn();
    }
    rawBytes = 0;
  };
  return {
    sectionCount,
    get isEmpty() {
      return rawBytes + packedBytes === 0;
    },
    get packedBytes() {
      return packedBytes;
    },
    add(section, row, numbers) {
      const end = rawBytes + sizeOfRow(row);
      if (end > raw.length) raw = enlarged(raw.subarray(0, rawBytes), end);
      writeRow(raw, rawBytes, row);
      bounds[section]?.push(rawBytes, end);
      rawBytes = end;
      const table = tables[section] ?? [];
      for (const number of numbers) table.push(number);
    },
    async packFull() {
      if (rawBytes >= RAW_BYTES) await pack();
    },
    async take() {
      await pack();
      if (packedBytes === 0) return undefined;
      const packedTables = tables.map((table, section) => packTable(name, section, table));
      const segment = {
        name,
        bytes: Buffer.concat([...packedTables, ...frames.flat()]),
        lengths: frames.map((parts) => parts.reduce((sum, { length }) => sum + length, 0)),
        tableLengths: packedTables.map(({ length }) => length),
      };
      frames = frames.map(() => []);
      for (const table of tables) table.length = 0;
      packedBytes = 0;
      name = newName();
      return segment;
    },
  };
}

function enlarged(used: Buffer, atLeast: number): Buffer<ArrayBuffer> {
  const grown = Math.min(GROWTH * used.length, RAW_BYTES + HEADROOM_BYTES);
  // Not by `concat`, which fills what is not used yet with zeros.
  const larger = Buffer.allocUnsafeSlow(grown < atLeast ? atLeast + HEADROOM_BYTES : grown);
  used.copy(larger);
  return larger;
}
