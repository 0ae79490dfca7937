import { Hub } from '../../local/emulator/hub.ts';
import type { Row } from '../../local/emulator/row.ts';
import { renderDescription } from '../../local/emulator/xml-out.ts';
import { seed } from '../../local/hub-lab/seed.ts';
import { groupRows } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { planRecord } from '../../src/core/restore/plan.ts';
import type { RestoreWrite } from './writes.ts';

/** A row as the listing shows it. */
export interface ListedRow {
  readonly id: string;
  readonly xml: string;
}

/** Devices are made in batches of this many, so that no process ever holds them all as objects. */
const BATCH_DEVICES = 2500;
const SEED = 1;

/** The devices of the emulator's seed, always the same, as rows to list. */
export function* deviceBatches(devices: number): Iterable<readonly ListedRow[]> {
  for (let first = 0; first < devices; first += BATCH_DEVICES) {
    // Of a scope of its own: from it follow the registration ids.
    const hub = new Hub('devices', `bench/${SEED}/${first}`);
    seed(hub, { devices: Math.min(BATCH_DEVICES, devices - first), seed: SEED * 1_000_003 + first });
    yield [...hub.listed()].map((row: Row) => ({ id: row.id, xml: renderDescription(row, 2022) }));
  }
}

/** The body with which the app puts a registration; `description` is the XML without id, ETag and expiry. */
function entryOf(description: string): string {
  return `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${description}</content></entry>`;
}

/** The PUTs that restore one batch. */
export function writesFor(rows: readonly ListedRow[]): RestoreWrite[] {
  const { records } = groupRows(rows.map(({ xml }) => parseRegistration(xml)));
  return records.flatMap((record) => {
    const plan = planRecord(record, undefined, {
      // The seed lets nothing expire within the floor, so any instant before now gives the same bodies.
      expiryFloorAtMs: Date.now(),
      livesElsewhere: () => false,
      mintedFor: () => [],
      isRepair: false,
    });
    if (plan.kind !== 'create') throw new Error(`A seeded device cannot be restored: ${plan.kind}.`);
    return plan.writes.map((write): RestoreWrite => {
      switch (write.kind) {
        case 'installation':
          return { kind: write.kind, id: write.id, body: write.json };
        case 'registration':
          return { kind: write.kind, id: write.id, body: entryOf(write.xml) };
        case 'withdrawal':
        case 'removal':
          throw new Error('An empty hub has nothing to withdraw.');
        default:
          return write satisfies never;
      }
    });
  });
}
