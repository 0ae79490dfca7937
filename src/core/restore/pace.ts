import { numbersIn } from '../bytes/numbers-in.ts';
import type { BlobFacts } from '../ports.ts';
import type { RestoreRun } from '../run/run.ts';

/** How fast records were settled of late, and when they last were: milliseconds since the run began. */
export interface Pace {
  readonly recordsPerSecond: number;
  readonly lastAtMs: number;
}

interface Stretch {
  readonly ms: number;
  readonly records: number;
}

/** The last so much of a run's time tells how it will be. */
const RECENT_MS = 60_000;
/** Nothing settled for so long may be an outage or a queue: then it is not counted, if it was much slower than the rest. */
const PAUSE_MS = 15_000;
const MUCH_SLOWER = 4;

/**
 * The pace of a run's first writing, from the samples that its shards store as they save: over the last `recentMs` in
 * which it moved. `undefined` while there is nothing to go by.
 */
export function paceOf(shards: readonly BlobFacts[], recentMs = RECENT_MS): Pace | undefined {
  const moves = movesOf(shards);
  const lastAtMs = moves.at(-1)?.[0];
  if (lastAtMs === undefined) return undefined;
  const stretches = recent(stretchesOf(moves), recentMs);
  const overall = rateOf(stretches);
  const recordsPerSecond = rateOf(stretches.filter((one) => !isPause(one, overall)));
  return recordsPerSecond > 0 ? { recordsPerSecond, lastAtMs } : undefined;
}

/** What each save of any shard added, in the order of time. */
function movesOf(shards: readonly BlobFacts[]): [number, number][] {
  const moves = shards.flatMap((facts) => {
    const numbers = numbersIn(facts['in_place'] ?? '');
    return Array.from({ length: numbers.length >> 1 }, (_, at): [number, number] => [
      numbers[2 * at] ?? 0,
      (numbers[2 * at + 1] ?? 0) - (at === 0 ? 0 : (numbers[2 * at - 1] ?? 0)),
    ]);
  });
  return moves.sort((a, b) => a[0] - b[0]);
}

function stretchesOf(moves: readonly (readonly [number, number])[]): Stretch[] {
  return moves.slice(1).map(([atMs, records], index) => ({ ms: atMs - (moves[index]?.[0] ?? atMs), records }));
}

/** The newest stretches of that time, pauses aside. */
function recent(stretches: readonly Stretch[], recentMs: number): Stretch[] {
  const overall = rateOf(stretches);
  const chosen: Stretch[] = [];
  let ms = 0;
  for (const stretch of stretches.toReversed()) {
    if (ms >= recentMs) break;
    if (isPause(stretch, overall)) continue;
    chosen.push(stretch);
    ms += stretch.ms;
  }
  return chosen;
}

function isPause({ ms, records }: Stretch, rate: number): boolean {
  return ms > PAUSE_MS && (records * 1000) / ms < rate / MUCH_SLOWER;
}

function rateOf(stretches: readonly Stretch[]): number {
  const ms = stretches.reduce((sum, one) => sum + one.ms, 0);
  return ms === 0 ? 0 : (stretches.reduce((sum, one) => sum + one.records, 0) * 1000) / ms;
}

/** What a look at the target takes, as the first one did: from the start of its listing until writing began. */
export function secondsToLook({ history = [], phase }: RestoreRun): number {
  const [listing] = history;
  const writing = [...history, phase].find(({ name }) => name === 'reconcile');
  if (listing === undefined || writing === undefined) return 0;
  return Math.max(0, (Date.parse(writing.startedAt) - Date.parse(listing.startedAt)) / 1000);
}
