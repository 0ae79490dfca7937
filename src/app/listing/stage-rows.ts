import { isAscii } from 'node:buffer';
import type { Octets } from '../../core/bytes/utf8.ts';
import { DrError } from '../../core/errors.ts';
import { fingerprintOf } from '../../core/fingerprint/row.ts';
import { segmentName } from '../../core/paths.ts';
import { shardOf } from '../../core/registration/record.ts';
import { parseOctets, type RegistrationFields } from '../../core/registration/registration.ts';
import type { Run } from '../../core/run/run.ts';
import type { Segment } from '../../core/snapshot/scan-checkpoint.ts';
import type { App } from '../app.ts';
import { toOctets } from '../stored/codec.ts';
import { fingerprintNumbers, toSnapshotRow } from './staged-row.ts';
import { createStaging, type Staging } from './staging.ts';

/**
 * Sections of a backup's staging. More would cost more for each than for what is in it; a hub so large that it has more
 * shards reads each section for several of them.
 */
export const STAGED_SECTIONS = 256;

/** The same of a restore's, where its snapshot has fewer shards: its target may hold a thousand times as much. */
const LEAST_SECTIONS = 64;

/**
 * A backup does not know yet how many shards there will be, and stages by section. A restore stages by shard of its
 * snapshot, or by parts of them, with a fingerprint of each row: what is in place is known by that alone. A listing
 * that is resumed keeps the sections of its `segments`.
 */
export function openStaging(app: App, run: Run, segments: readonly Segment[]): Staging {
  let sequence = segments.length;
  const newName = (): string => {
    const label = `${String(sequence).padStart(5, '0')}-${app.world.newSuffix()}`;
    sequence += 1;
    return segmentName(run.kind, run.id, run.phase.pass, label);
  };
  const sectionCount = run.kind === 'restore' ? Math.max(run.shardCount, LEAST_SECTIONS) : STAGED_SECTIONS;
  return createStaging(segments[0]?.lengths.length ?? sectionCount, newName, app.world.nextTurn);
}

/**
 * Answers where the rows are that could not be read and are left out: one bad row must not stop the backup of all others.
 */
export function stageRows(staging: Staging, run: Run, rows: readonly Uint8Array[]): number[] {
  const unreadable: number[] = [];
  for (const [index, row] of rows.entries()) {
    const octets = toOctets(row);
    const fields = readFields(octets, isAscii(row));
    if (fields === undefined) {
      unreadable.push(index);
      continue;
    }
    const fingerprint = fingerprintOf(octets, fields);
    const section = shardOf(fingerprint.keyHash, staging.sectionCount);
    if (run.kind === 'restore') {
      staging.add(section, octets, fingerprintNumbers(fingerprint));
    } else {
      const staged = toSnapshotRow(octets, fields, fingerprint);
      staging.add(section, staged.octets, staged.numbers);
    }
  }
  return unreadable;
}

function readFields(octets: Octets, isAsciiOnly: boolean): RegistrationFields | undefined {
  try {
    return parseOctets(octets, isAsciiOnly);
  } catch (error) {
    if (error instanceof DrError && error.code === 'HubMisbehaves') return undefined; // Counted by the caller.
    throw error;
  }
}
