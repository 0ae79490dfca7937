import { z } from 'zod';
import { Hub } from '../../local/emulator/hub.ts';
import { renderDescription } from '../../local/emulator/xml-out.ts';
import { seed } from '../../local/hub-lab/seed.ts';
import { groupRows } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { planCreation } from '../../src/core/restore/plan/first-writes.ts';
import type { Write } from '../../src/core/restore/plan/write.ts';
import { rivals } from './figures.ts';

/** What a rival is to do. */
export const jobSchema = z.object({
  subject: z.enum(rivals),
  hubUrl: z.string(),
  connectionString: z.string(),
  storage: z.string(),
  /** In the hub `primary`. */
  devices: z.number(),
  /** A restore may stop then: only its rate is wanted. */
  maxSeconds: z.number(),
});
export type Job = z.infer<typeof jobSchema>;

/** What it did. */
export const outcomeSchema = z.object({ count: z.number(), storedBytes: z.number().optional() });
export type Outcome = z.infer<typeof outcomeSchema>;

/** A row as the listing shows it. */
export interface ListedRow {
  readonly id: string;
  readonly xml: string;
}

/** One PUT of a restore into an empty hub, with the very body the app sends. */
export interface RestoreWrite {
  readonly kind: 'registration' | 'installation';
  readonly id: string;
  readonly body: string;
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
    yield [...hub.listed()].map((row) => ({ id: row.id, xml: renderDescription(row, 2022) }));
  }
}

/** The PUTs that restore one batch. */
export function writesFor(rows: readonly ListedRow[]): RestoreWrite[] {
  const { records } = groupRows(rows.map(({ xml }) => parseRegistration(xml)));
  return records.flatMap((record) => {
    const writes = planCreation(record, {
      // The seed lets nothing expire within the floor, so any instant before now gives the same bodies.
      expiryFloorAtMs: Date.now(),
      isTargetEmpty: true,
      elsewhere: { isTaken: () => false, oursUnder: () => [] },
      mintedFor: () => [],
    });
    if (typeof writes === 'string') throw new Error(`A seeded device cannot be restored: ${writes}.`);
    return writes.map(toPut);
  });
}

function toPut(write: Write): RestoreWrite {
  const { kind, id } = write;
  if (kind === 'installation') return { kind, id, body: write.json };
  if (kind !== 'registration') throw new Error('An empty hub has nothing to withdraw.');
  const content = `<content type="application/xml">${write.xml}</content>`;
  return { kind, id, body: `<entry xmlns="http://www.w3.org/2005/Atom">${content}</entry>` };
}

/** The first PUTs of a restore; each is put once, for an update is another thing. */
export function* firstWrites(devices: number, most: number): Iterable<RestoreWrite> {
  let count = 0;
  for (const rows of deviceBatches(devices)) {
    for (const write of writesFor(rows)) {
      if (count === most) return;
      count += 1;
      yield write;
    }
  }
}
