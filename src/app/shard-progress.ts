import { DrError } from '../core/errors.ts';
import {
  formatOutcomes,
  type Outcome,
  outcomeLetters,
  parseOutcomes,
  type RecordFailure,
  type ShardOutcomes,
  toFacts,
} from '../core/outcomes.ts';
import { resultName } from '../core/paths.ts';
import type { HubPace } from '../core/ports.ts';
import { isOver, type RestoreRun } from '../core/run.ts';
import type { App } from './app.ts';
import { openDocument, sealDocument } from './codec.ts';
import { tooManyFailures } from './complete-reconcile.ts';
import { beat, readRun, Superseded } from './run-store.ts';

/** What became of each record of one shard in one pass, kept in step with its stored document. */
export interface ShardProgress {
  /** Positions of the records whose outcome is not known yet. */
  open(): number[];
  settleAs(index: number, outcome: Outcome): void;
  fail(index: number, failure: Omit<RecordFailure, 'index'>): void;
  count(what: 'duplicatesCollapsed' | 'repaired' | 'changedSince', amount: number): void;
  /** Stores it all. Throws `Superseded` when the run is over or a twin of this step stored first. */
  save(): Promise<void>;
}

export async function readOutcomes(
  app: App,
  run: RestoreRun,
  pass: number,
  shard: number,
): Promise<{ readonly outcomes: ShardOutcomes; readonly etag: string } | undefined> {
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) return undefined;
  return { outcomes: parseOutcomes(openDocument(name, blob.bytes), name), etag: blob.etag };
}

/** What a pass before made of a shard. Throws `StoredDocumentInvalid` when that is missing, or not all of it. */
export async function readFinishedOutcomes(
  app: App,
  run: RestoreRun,
  pass: number,
  shard: number,
  recordCount: number,
): Promise<ShardOutcomes> {
  const outcomes = (await readOutcomes(app, run, pass, shard))?.outcomes;
  if (outcomes?.isDone && outcomes.letters.length === recordCount) return outcomes;
  const name = resultName('restore', run.id, pass, 'reconcile', shard);
  throw new DrError(
    'StoredDocumentInvalid',
    `The result ${name} of pass ${pass} is missing or not whole. Start a new restore; it finds what this one wrote and leaves it unchanged.`,
    { target: name },
  );
}

/** Goes on from `stored`, or begins with failures carried over from the pass before. `pace` is the target hub's. */
export function openShardProgress(
  app: App,
  run: RestoreRun,
  shard: number,
  given: {
    readonly recordCount: number;
    readonly stored: Awaited<ReturnType<typeof readOutcomes>>;
    readonly before: ShardOutcomes | undefined;
    readonly pace: () => HubPace;
  },
): ShardProgress {
  const { stored, before, pace } = given;
  const name = resultName('restore', run.id, run.phase.pass, 'reconcile', shard);
  const resumed = stored?.outcomes;
  const letters = [...(resumed?.letters ?? outcomeLetters.pending.repeat(given.recordCount))];
  const failures = [...(resumed?.failures ?? before?.failures ?? [])];
  const tally = {
    duplicatesCollapsed: resumed?.duplicatesCollapsed ?? 0,
    repaired: resumed?.repaired ?? 0,
    changedSince: resumed?.changedSince ?? before?.changedSince ?? 0,
  };
  const lostAtStart = pace().millisecondsLostToThrottling;
  let etag = stored?.etag;

  const open = (): number[] => letters.flatMap((letter, index) => (letter === outcomeLetters.pending ? [index] : []));
  const settleAs = (index: number, outcome: Outcome): void => {
    letters[index] = outcomeLetters[outcome];
  };
  return {
    open,
    settleAs,
    fail(index, failure) {
      settleAs(index, 'failed');
      failures.push({ index, ...failure });
    },
    count(what, amount) {
      tally[what] += amount;
    },
    async save() {
      const current = await readRun(app, 'restore', run.id);
      if (current === undefined || isOver(current.run)) throw new Superseded('the run is over');
      const lost = pace().millisecondsLostToThrottling - lostAtStart;
      const outcomes: ShardOutcomes = {
        formatVersion: 1,
        isDone: open().length === 0,
        letters: letters.join(''),
        ...tally,
        lostMilliseconds: (resumed?.lostMilliseconds ?? 0) + lost,
        failures,
      };
      const condition = etag === undefined ? 'new' : { etag };
      const next = await app.blobs.put(
        name,
        sealDocument(name, formatOutcomes(outcomes)),
        condition,
        toFacts(outcomes),
      );
      if (next === 'conflict') throw new Superseded('another step went on with this shard');
      etag = next;
      await beat(app, 'restore', run.id);
      if (failures.length > app.policy.maxFailures) throw tooManyFailures(failures.length, app.policy.maxFailures);
    },
  };
}
