import { RecordFault } from '../../core/errors.ts';
import { type Burst, closed, type DeadView, judgeDead, type Mark } from '../../core/feedback/mark.ts';
import { versionOfRows } from '../../core/fingerprint/row.ts';
import { type CallOptions, MOST_ROWS_FOUND } from '../../core/ports.ts';
import { keyHashOf } from '../../core/registration/record.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import type { App, Words } from '../app.ts';
import type { Roles } from '../runs/roles.ts';
import { mapConcurrent } from '../stored/concurrent.ts';
import { type BothLook, type DeadRecord, lookAt, type OpenMark, recordsOf } from './inspect.ts';
import { type ToProve, versionsBefore } from './prove.ts';

export interface Planning {
  readonly roles: Roles;
  readonly words: Words;
  /** Good ones of the hub in use. */
  readonly snapshots: readonly Manifest[];
  readonly bursts: readonly Burst[];
  /** Also what is beyond bounds, as an operator confirmed. */
  readonly isBeyond: boolean;
  readonly quietMs: number;
  readonly call: CallOptions;
}

/** A record that is to go from the standby, or that no restore is to bring into it. */
export interface Doomed {
  readonly mark: OpenMark;
  readonly record: DeadRecord;
  readonly activeVersion: number | undefined;
  readonly lookedAt: number;
}

export interface Plan {
  /** With what was found out of them. */
  readonly marks: readonly Mark[];
  readonly doomed: readonly Doomed[];
  /** There was no time to look at all that is due. */
  readonly isCutShort: boolean;
}

/** Looks at what is marked: what is new for the first time, and what is due to be removed. Writes nothing to a hub. */
export async function planRemovals(app: App, marks: readonly Mark[], planning: Planning): Promise<Plan> {
  const { roles, quietMs, call, bursts, isBeyond } = planning;
  const nowMs = app.world.storageNow();
  const isHeld = ({ platform }: Mark): boolean => !isBeyond && bursts.some((burst) => burst.platform === platform);
  let isCutShort = false;
  const looked = await mapConcurrent(marks, app.policy.maxConcurrency, async (mark): Promise<Looked> => {
    if (mark.state !== 'open' || mark.handle === undefined || isHeld(mark)) return { mark };
    const isDue = nowMs - mark.at >= quietMs;
    if (!isDue && mark.look !== undefined) return { mark };
    if (app.world.now() >= call.deadlineAt) {
      isCutShort ||= isDue;
      return { mark };
    }
    const open = { ...mark, handle: mark.handle };
    const both = await unlessOfRecord(lookAt(app, roles, open, call));
    if (both === undefined || isOfMany(both)) return { mark };
    if (!isDue) return { mark: { ...mark, look: both.look } };
    const records = await unlessOfRecord(recordsOf(roles, open, both, call));
    return records === undefined ? { mark } : { mark, due: { mark: open, both, records } };
  });
  const due = looked.flatMap(({ due: one }) => one ?? []);
  const judged = await judgeAll(app, due, planning);
  const ends = new Map(judged.map(({ mark, end }) => [mark.hash, end]));
  return {
    marks: looked.map(({ mark }) => withEnd(mark, ends.get(mark.hash))),
    doomed: judged.flatMap(({ doomed }) => doomed),
    isCutShort,
  };
}

/** `undefined` where the hub fails at what it is asked for, and serves others: that is left as it is. */
export async function unlessOfRecord<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RecordFault) return undefined;
    throw error;
  }
}

/** A text that many devices have in place of a handle. */
function isOfMany({ active, standby }: BothLook): boolean {
  return Math.max(active.length, standby.length) >= MOST_ROWS_FOUND;
}

interface Due {
  readonly mark: OpenMark;
  readonly both: BothLook;
  readonly records: readonly DeadRecord[];
}

interface Looked {
  readonly mark: Mark;
  readonly due?: Due;
}

type End = 'alive' | 'unproven' | 'dead';

/** What is dead stays open until it is removed. */
function withEnd(mark: Mark, end: End | undefined): Mark {
  if (end === 'alive') return closed(mark, 'alive');
  return end === 'unproven' ? { ...mark, state: 'unproven' } : mark;
}

async function judgeAll(app: App, due: readonly Due[], { words, snapshots }: Planning) {
  const toProve = due.flatMap(({ mark, records }) =>
    records
      .filter(({ active, isElsewhere }) => active.length > 0 && !isElsewhere)
      .map((record): ToProve & { readonly record: DeadRecord } => ({ key: record.key, at: mark.at, record })),
  );
  const proven = await versionsBefore(app, snapshots, toProve);
  const before = new Map(toProve.map((one) => [one.record, proven.get(one)]));
  return due.map(({ mark, both, records }) => {
    const doomed: Doomed[] = [];
    const ends = new Set<End>();
    for (const record of records) {
      const activeVersion = record.active.length === 0 ? undefined : versionOfRows(record.active);
      const hash = keyHashOf(record.key);
      const known = before.get(record);
      const view: DeadView = {
        mark,
        activeVersion,
        isElsewhere: record.isElsewhere,
        versionsBefore: known === undefined ? [] : [known],
        look: both.look,
        spokenAt: words.isWaiting(hash) ? Number.POSITIVE_INFINITY : words.confirmedAt(hash),
      };
      const end = judgeDead(view);
      if (isAbout(record, both)) ends.add(end);
      if (end === 'dead' && isAbout(record, both)) doomed.push({ mark, record, activeVersion, lookedAt: both.look.at });
    }
    // What one record leaves open keeps the mark; what is dead is removed all the same.
    const end: End = ends.has('unproven') ? 'unproven' : ends.has('dead') ? 'dead' : 'alive';
    return { mark, doomed, end };
  });
}

/** Not the plain device of a handle that only installations have. */
function isAbout({ installationId, active, standby }: DeadRecord, both: BothLook): boolean {
  const isOfInstallation = installationId !== undefined;
  return active.length + standby.length > 0 || isOfInstallation || both.active.length + both.standby.length === 0;
}
