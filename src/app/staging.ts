import { SECTION_COUNT } from '../core/record.ts';

/** The rows a scan has listed and not stored yet, by section. */
export interface Staging {
  readonly sizeBytes: number;
  /** A row is a line: a JSON string, since row bodies may hold line breaks. */
  add(section: number, xml: string): void;
  /** A section's lines as UTF-8 behind `title`, a line, too; `undefined` where there are none. */
  read(section: number, title: string): Uint8Array | undefined;
  clear(): void;
}

/**
 * Lines are kept as bytes outside the JavaScript heap: as strings they would outlive every young generation, and
 * moving them twice and marking them over and over costs more than the rest of a scan.
 */
export function createStaging(capacityBytes: number): Staging {
  let bytes = Buffer.allocUnsafeSlow(capacityBytes + HEADROOM_BYTES);
  let used = 0;
  // Beginning and end of each line.
  const bounds: number[][] = Array.from({ length: SECTION_COUNT }, () => []);
  return {
    get sizeBytes() {
      return used;
    },
    add(section, xml) {
      const line = `${JSON.stringify(xml)}\n`;
      const worst = line.length * BYTES_A_UNIT;
      if (used + worst > bytes.length) bytes = Buffer.concat([bytes.subarray(0, used)], bytes.length + worst);
      const end = used + bytes.write(line, used);
      bounds[section]?.push(used, end);
      used = end;
    },
    read(section, title) {
      const own = bounds[section] ?? [];
      if (own.length === 0) return undefined;
      const parts = [Buffer.from(`${title}\n`)];
      for (let at = 0; at < own.length; at += 2) parts.push(bytes.subarray(own[at], own[at + 1]));
      return Buffer.concat(parts);
    },
    clear() {
      used = 0;
      for (const own of bounds) own.length = 0;
    },
  };
}

/** The page that fills a staging up; more is made room for. */
const HEADROOM_BYTES = 1024 * 1024;
/** UTF-8 needs no more for a UTF-16 unit. */
const BYTES_A_UNIT = 3;
