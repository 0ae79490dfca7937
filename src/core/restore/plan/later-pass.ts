import { areDistinct, distinctRows } from '../../registration/distinct.ts';
import { expectedForms } from '../../registration/expected.ts';
import { type RebuildFault, rebuildInstallation, withVariedExpiry } from '../../registration/installation.ts';
import { isInstallation, type RecordOfRows } from '../../registration/record.ts';
import { canonicalRow, descriptionForWrite, hasRepairTag, type Registration } from '../../registration/registration.ts';
import type { Outcome, RecordFailure, WrittenOutcome } from './outcomes.ts';
import { deletionOf, type MintedFor, type Write } from './write.ts';

/** What a later pass finds to do about a record that this run has written. */
export type RecordPlan =
  | { readonly kind: 'unchanged' | 'keptLive' }
  /** What is missing of it is written again; or a row that was written twice goes. */
  | { readonly kind: 'repair'; readonly writes: readonly Write[] }
  /** A row of this run's is taken back: its device has registered by itself. */
  | { readonly kind: 'takeBack'; readonly writes: readonly Write[] }
  | { readonly kind: 'impossible'; readonly fault: RebuildFault };

/** What a pass makes of one record's plan. */
export type PassDecision =
  | { readonly kind: 'settled'; readonly outcome: Outcome; readonly hasChangedSince: boolean }
  | { readonly kind: 'failed'; readonly code: RecordFailure['code'] }
  | { readonly kind: 'write'; readonly outcome: WrittenOutcome; readonly writes: readonly Write[] }
  /** What the run created is taken back, and the record left to its device. */
  | { readonly kind: 'takeBack'; readonly writes: readonly Write[] };

export interface PassRules {
  /** Look only: what is still missing has failed. */
  readonly isLastPass: boolean;
}

/**
 * `earlier` is what the pass before made of the record. Later passes only look after records this run wrote: one that
 * differs now was changed by its device since, a missing one is written again.
 */
export function decide(plan: RecordPlan, earlier: WrittenOutcome, { isLastPass }: PassRules): PassDecision {
  switch (plan.kind) {
    case 'unchanged':
      return { kind: 'settled', outcome: earlier, hasChangedSince: false };
    case 'keptLive':
      return { kind: 'settled', outcome: earlier, hasChangedSince: true };
    case 'impossible':
      return { kind: 'failed', code: plan.fault };
    case 'takeBack':
      return isLastPass ? { kind: 'failed', code: 'NotApplied' } : { kind: 'takeBack', writes: plan.writes };
    case 'repair':
      if (isLastPass) return { kind: 'failed', code: 'NotApplied' };
      return { kind: 'write', outcome: earlier, writes: plan.writes };
    default:
      return plan satisfies never;
  }
}

export interface PlanOptions {
  readonly expiryFloorAtMs: number;
  /** True for a handle that lives in the target under a key the snapshot does not have it under. */
  readonly livesElsewhere: (row: Registration) => boolean;
  readonly mintedFor: MintedFor;
}

/**
 * Compares a record that an earlier pass wrote with what lives in the target under the same key. What is live is newer:
 * a record that lives and differs is left alone. One whose live rows are some of the snapshot's is completed. An
 * installation with the tag that earlier versions left is ours, and written as it should be.
 */
export function planAgain(record: RecordOfRows, live: RecordOfRows | undefined, options: PlanOptions): RecordPlan {
  if (live === undefined) return planMissing(record, options);
  const wanted = distinctRows(record.rows);
  const writes = deletionsOfTwins(wanted.values(), live.rows, options.mintedFor);
  if (writes.length > 0) return { kind: 'repair', writes };
  if (isInstallation(record) && live.rows.some(({ tags }) => hasRepairTag(tags))) {
    return toWrites(record, record.rows, options);
  }
  const expected = expectedForms(record, wanted);
  const liveForms = new Set(distinctRows(live.rows).keys());
  const missing = [...expected].filter((form) => !liveForms.has(form));
  const isSubset = liveForms.size + missing.length === expected.size;
  if (!isSubset) return { kind: 'keptLive' };
  if (missing.length === 0) return { kind: 'unchanged' };
  return toWrites(
    record,
    missing.flatMap((form) => wanted.get(form) ?? []),
    options,
  );
}

/** Nothing lives to be compared with, so canonical forms are needed only where rows of the record could be one. */
function planMissing(record: RecordOfRows, options: PlanOptions): RecordPlan {
  if (record.rows.some(options.livesElsewhere)) return { kind: 'keptLive' };
  const rows = areDistinct(record.rows) ? record.rows : [...distinctRows(record.rows).values()];
  return toWrites(record, rows, options);
}

/**
 * Rows this run wrote twice: under one id, whose answer was lost, and under a new one after the hub refused the
 * repeated call (410). The device would be pushed twice. The one under the snapshot's id stays, since app backends may
 * know it.
 */
function deletionsOfTwins(
  wanted: Iterable<Registration>,
  live: readonly Registration[],
  mintedFor: MintedFor,
): Write[] {
  const liveById = new Map(live.map((row) => [row.id, row]));
  return [...wanted].flatMap(({ id }) => {
    const [first, ...others] = [id, ...mintedFor(id)].flatMap((written) => liveById.get(written) ?? []);
    if (first === undefined) return [];
    const form = canonicalRow(first.xml);
    return others.filter(({ xml }) => canonicalRow(xml) === form).map(deletionOf);
  });
}

/** An identical installation PUT may be ignored: it is sent with another expiry. */
function toWrites(record: RecordOfRows, rows: readonly Registration[], { expiryFloorAtMs }: PlanOptions): RecordPlan {
  if (!isInstallation(record)) {
    const writes = rows.map(({ id, xml }) => ({ kind: 'registration', id, xml: descriptionForWrite(xml) }) as const);
    return { kind: 'repair', writes };
  }
  const rebuilt = rebuildInstallation(record.rows, expiryFloorAtMs);
  if (typeof rebuilt === 'string') return { kind: 'impossible', fault: rebuilt };
  const json = JSON.stringify(withVariedExpiry(rebuilt.body));
  return { kind: 'repair', writes: [{ kind: 'installation', id: rebuilt.id, json }] };
}
