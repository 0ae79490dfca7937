import type { HubRef } from '../../../src/core/ports.ts';
import { type Description, readDescription } from '../row.ts';
import type { Container } from '../storage.ts';

export interface SnapshotRow extends Description {
  readonly id: string;
}

export interface SnapshotRecord {
  readonly key: string;
  readonly rows: readonly SnapshotRow[];
}

/** What a snapshot holds, read as anybody can: its shards are lines of JSON, which the simulation does not compress. */
export function readSnapshot(container: Container, hub: HubRef, id: string): SnapshotRecord[] {
  const records: SnapshotRecord[] = [];
  for (const name of container.names(`${hub.namespace}/${hub.hub}/snapshots/${id}/shards/`)) {
    const text = Buffer.from(container.get(name)?.bytes ?? []).toString('utf8');
    for (const line of text.split('\n')) if (line !== '') records.push(readRecord(JSON.parse(line)));
  }
  return records;
}

function readRecord({ key, rows }: { readonly key: string; readonly rows: readonly string[] }): SnapshotRecord {
  return {
    key,
    rows: rows.map((xml) => ({
      ...readDescription(xml),
      id: /<RegistrationId>([^<]*)</.exec(xml)?.[1] ?? '',
    })),
  };
}
