import type { Hub } from '../../../core/ports.ts';
import type { App } from '../../app.ts';

/** Shards under way ask more often than this. What was lost before the first of them is not theirs. */
const STALE_MS = 60_000;

/**
 * Milliseconds a hub's throttling has cost this process since anybody last asked: the shards of a process wait for
 * their target together, so each counts only what none has counted yet.
 */
export function countLostTime({ memory: { lostTime }, world: { now } }: App, hub: Hub): () => number {
  const total = (): number => hub.pace().millisecondsLostToThrottling;
  const known = lostTime.get(hub);
  const current = known !== undefined && now() - known.atMs <= STALE_MS ? known : { atMs: now(), totalMs: total() };
  lostTime.set(hub, current);
  return () => {
    const totalMs = total();
    const lostMs = totalMs - current.totalMs;
    current.totalMs = totalMs;
    current.atMs = now();
    return lostMs;
  };
}
