import { isSame, type Row, tell } from '../row.ts';
import type { Facts } from './facts.ts';
import type { Fault } from './fault.ts';
import { hubOf, type KnownRestore, lookedAt } from './runs.ts';
import { NEVER_FROM, type Wanted } from './snapshots.ts';

/** Differences of expiry below this do not count. */
const DAY_MS = 86_400_000;

/**
 * What expires much earlier than in the source is lost with a failover. A target with a time to live takes a row that
 * never expires in the source for no longer than that: it is renewed when it ends sooner than the app promises.
 */
export function judgeExpiry(
  facts: Facts,
  run: KnownRestore,
  { rows }: Wanted,
  there: readonly Row[],
  where: string,
): Fault[] {
  const timeToLiveMs = facts.hub(hubOf(run))?.knobs.timeToLiveMs ?? Number.POSITIVE_INFINITY;
  const most = lookedAt(run) + timeToLiveMs;
  return rows
    .flatMap((row): Fault[] => {
      const copies = there.filter((one) => one.by.kind === 'tool' && isSame(one, row));
      const promised = Date.parse(run.doc.request.expiryFloorAt);
      // A sync leaves what is as agreed on until it ends within the time that is promised.
      const least = run.isSync ? promised : NEVER_FROM;
      const expected = Math.min(row.expiresAt ?? promised, most, least);
      const early = copies.find(({ expiresAt }) => expiresAt !== undefined && expiresAt < expected - DAY_MS);
      if (early === undefined) return [];
      const [is, should] = [early.expiresAt, expected].map((at) =>
        at === Infinity ? 'never' : new Date(at ?? 0).toISOString(),
      );
      return [{ kind: 'expiresEarly', text: `${where}: ${tell(row)} expires ${is} instead of ${should}` }];
    })
    .slice(0, 1);
}
