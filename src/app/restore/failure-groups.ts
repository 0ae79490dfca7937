import type { RecordFailure } from '../../core/restore/plan/outcomes.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { App } from '../app.ts';
import { findRun } from '../runs/store.ts';
import { describeFailures, type FailureView, failuresIn, shardsWithFailures } from './failures.ts';
import { parsePosition } from './outcomes/listed.ts';

/** Records that failed alike: for the same reason, in the hub's same words, on the same platform. */
export interface FailureGroup extends Omit<FailureView, 'record'> {
  readonly count: number;
  /** A few of them, by name. */
  readonly examples: readonly string[];
}

const EXAMPLES = 3;
/** A hub that says something else of each record has its words left out beyond this. */
const MOST_GROUPS = 50;
/** An answer is a part of the shards, where they are too many for this time. */
const ANSWER_MS = 8000;

/**
 * What a restore could not bring back, those alike together, the most first. `next` is given where time ended before the
 * last shard: the groups of all parts then have to be added up. Throws `RunNotFound`, or `BadRequest` for another `from`.
 */
export async function readFailureGroups(app: App, runId: string, from = '0:0') {
  const run = await findRun(app, 'restore', runId);
  const first = parsePosition(from).shard;
  const endsAt = app.world.now() + ANSWER_MS;
  const groups = new Map<string, FailureGroup>();
  for (const { shard, name } of await shardsWithFailures(app, run, first)) {
    if (groups.size > 0 && app.world.now() > endsAt) return { value: sorted(groups), next: `${shard}:0` };
    await addShard(app, run, groups, { shard, failures: await failuresIn(app, name) });
  }
  return { value: sorted(groups), next: undefined };
}

interface ShardFailures {
  readonly shard: number;
  readonly failures: readonly RecordFailure[];
}

async function addShard(
  app: App,
  run: RestoreRun,
  groups: Map<string, FailureGroup>,
  { shard, failures }: ShardFailures,
) {
  for (const { record, ...why } of await describeFailures(app, run, shard, failures)) {
    const isNew = !groups.has(keyOf(why));
    const alike = isNew && groups.size >= MOST_GROUPS ? { ...why, words: undefined } : why;
    const group = groups.get(keyOf(alike)) ?? { ...alike, count: 0, examples: [] };
    const examples = group.examples.length < EXAMPLES ? [...group.examples, record] : group.examples;
    groups.set(keyOf(alike), { ...group, count: group.count + 1, examples });
  }
}

function keyOf({ code, status, platform, words }: Omit<FailureView, 'record'>): string {
  return JSON.stringify([code, status, platform, words]);
}

function sorted(groups: ReadonlyMap<string, FailureGroup>): FailureGroup[] {
  return [...groups.values()].sort((one, other) => other.count - one.count);
}
