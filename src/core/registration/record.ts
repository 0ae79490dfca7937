import { hash53 } from '../bytes/hash.ts';
import { compareText } from '../bytes/search.ts';
import { installationIdOf, type Registration, type RegistrationFields } from './registration.ts';

/** What a restore brings back as one: an installation with all its rows, or one device outside installations. */
export interface RecordOfRows<Row = Registration> {
  /** `i:{installationId}` or `d:{platform}:{handle}`. Never a registration id: those may have to change on the way. */
  readonly key: string;
  readonly rows: readonly Row[];
}

/** Rows are staged by hash into this many sections, so that the shard count can be chosen once the scan has counted. */
export const SECTION_COUNT = 1024;

const RECORDS_PER_SHARD = 10_000;
/** Below this a small hub's restore could not use several consumers at once. */
const MIN_SHARD_COUNT = 4;

export function recordKey(registration: RegistrationFields): string {
  const installationId = installationIdOf(registration.tags);
  return installationId === undefined ? deviceKey(registration) : installationKey(installationId);
}

/** Of an installation's record. */
export function installationKey(id: string): string {
  return `i:${id}`;
}

/** Of the record of a handle's plain registrations. */
export function deviceKey({ platform, handle }: Pick<RegistrationFields, 'platform' | 'handle'>): string {
  return `d:${platform.toLowerCase()}:${handle}`;
}

/** Of all rows of an installation, by what its key says. */
export function isInstallation({ key }: Pick<RecordOfRows, 'key'>): boolean {
  return key.startsWith('i:');
}

/** The id of the installation that the key is of. */
export function installationIdIn(key: string): string | undefined {
  return isInstallation({ key }) ? key.slice(2) : undefined;
}

/** The platform a record is counted under: that of its first row. */
export function platformOf({ rows: [first] }: RecordOfRows<Pick<Registration, 'platform'>>): string {
  return first?.platform ?? '';
}

/** The hash of a record key, which identifies records and spreads them over shards. */
export function keyHashOf(key: string): number {
  return hash53(key);
}

/** The section (0 to 1023) a record belongs to, by the hash of its key. */
export function sectionOf(keyHash: number): number {
  return keyHash % SECTION_COUNT;
}

/** The shard a record belongs to, by the hash of its key. */
export function shardOf(keyHash: number, shardCount: number): number {
  return Math.floor((sectionOf(keyHash) * shardCount) / SECTION_COUNT);
}

/** A power of two that keeps a shard under about 10,000 rows: `4 <= count <= 1024`. */
export function shardCountFor(rowCount: number): number {
  let count = MIN_SHARD_COUNT;
  while (count < SECTION_COUNT && rowCount / count > RECORDS_PER_SHARD) count *= 2;
  return count;
}

/** Neighbouring shards, or sections. */
export interface Neighbours {
  readonly first: number;
  readonly count: number;
}

export function membersOf({ first, count }: Neighbours): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/**
 * The sections that make up one shard: neighbours, so that one range read gets them. Where there are fewer sections
 * than shards it is the one the shard is in.
 */
export function sectionsOf(shard: number, shardCount: number, sectionCount = SECTION_COUNT): Neighbours {
  const perShard = sectionCount / shardCount;
  return { first: Math.floor(shard * perShard), count: Math.max(1, perShard) };
}

/** The 53-bit hash by which a device handle is recognised across shards. */
export function handleHash({ platform, handle }: Pick<Registration, 'platform' | 'handle'>): number {
  return hash53(`${platform.toLowerCase()}:${handle}`);
}

/**
 * Groups a shard's rows into records, in key order, their rows in id order. Of rows with one id the one with the highest
 * ETag stays, then the later seen; `duplicatesSeen` counts the others.
 */
export function groupRows<Row extends RegistrationFields>(rows: Iterable<Row>) {
  const byId = new Map<string, Row>();
  let rowCount = 0;
  for (const row of rows) {
    rowCount += 1;
    const seen = byId.get(row.id);
    if (seen === undefined || row.etag >= seen.etag) byId.set(row.id, row);
  }
  const records: readonly RecordOfRows<Row>[] = [...Map.groupBy(byId.values(), recordKey)]
    .map(([key, group]) => ({ key, rows: group.sort((a, b) => compareText(a.id, b.id)) }))
    .sort((a, b) => compareText(a.key, b.key));
  return { records, duplicatesSeen: rowCount - byId.size };
}
