import { z } from 'zod';
import { mostDeletes } from '../run/amounts.ts';
import type { Verdict } from './verdict.ts';

const instantMs = z.number().nonnegative();
/** The version of what a hub held with the handle; `null`: nothing. */
const versionSchema = z.number().nonnegative().nullable();

/** A handle that a push service has called dead, through the hub in use. */
export const markSchema = z.strictObject({
  /** SHA-256 of platform and handle: it stays when the handle goes. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  platform: z.string(),
  /** Until nothing is to be done about it any more. */
  handle: z.string().optional(),
  /** Where the verdict says whose it is. */
  installationId: z.string().optional(),
  /** Of the newest verdict (epoch ms). */
  at: instantMs,
  /** What both hubs held of it when it was first looked at. */
  look: z.strictObject({ at: instantMs, active: versionSchema, standby: versionSchema }).optional(),
  /**
   * `open`: it waits. `alive`: its device wrote since. `removed`: it is out of the standby. `unproven`: nothing tells
   * whether its device wrote before the verdict or after it; the next verdict does.
   */
  state: z.enum(['open', 'alive', 'removed', 'unproven']),
});

export type Mark = Readonly<z.infer<typeof markSchema>>;

/** How long marks are remembered, so that what was read before changes nothing when it is read again. */
export const REMEMBERED_MS = 10 * 86_400_000;

/** Marks with what has been read since. The same verdicts again change nothing. */
export function marksAfter(
  marks: readonly Mark[],
  verdicts: readonly Verdict[],
  hashOf: (verdict: Verdict) => string,
  nowMs: number,
): Mark[] {
  const byHash = new Map(marks.filter(({ at }) => nowMs - at < REMEMBERED_MS).map((mark) => [mark.hash, mark]));
  for (const verdict of verdicts) {
    const { at, platform, handle, installationId } = verdict;
    if (nowMs - at >= REMEMBERED_MS) continue;
    const hash = hashOf(verdict);
    const before = byHash.get(hash);
    if (before !== undefined && before.at >= at) continue;
    const named = installationId ?? before?.installationId;
    const look = before?.state === 'open' || before?.state === 'unproven' ? before.look : undefined;
    byHash.set(hash, {
      hash,
      platform,
      handle,
      ...(named === undefined ? {} : { installationId: named }),
      at,
      ...(look === undefined ? {} : { look }),
      state: 'open',
    });
  }
  return [...byHash.values()];
}

/** Nothing is left to do about it: what is not needed to know it again goes. */
export function closed({ hash, platform, at }: Mark, state: 'alive' | 'removed'): Mark {
  return { hash, platform, at, state };
}

export interface Burst {
  readonly platform: string;
  /** The most that fell into one hour. */
  readonly count: number;
  readonly most: number;
  /** When that hour began (epoch ms). */
  readonly from: number;
}

const HOUR_MS = 3_600_000;
/** Of a platform's registrations: devices do not die together. */
const BURST_PERCENT = 5;

/**
 * Platforms of which a push service has called more devices dead within an hour than die in one: then the fault is most
 * probably in the hub's credentials, and nothing is removed of that platform.
 */
export function findBursts(
  marks: Iterable<Pick<Mark, 'platform' | 'at'>>,
  registrations: Readonly<Record<string, number>>,
): Burst[] {
  return [...Map.groupBy(marks, ({ platform }) => platform)].flatMap(([platform, own]): Burst[] => {
    const most = mostDeletes(registrations[platform] ?? 0, BURST_PERCENT);
    const { count, from } = fullestHour(own.map(({ at }) => at).sort((a, b) => a - b));
    return count > most ? [{ platform, count, most, from }] : [];
  });
}

function fullestHour(sorted: readonly number[]): { readonly count: number; readonly from: number } {
  let [count, from, first] = [0, 0, 0];
  for (const [place, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= HOUR_MS) first += 1;
    if (place - first + 1 <= count) continue;
    count = place - first + 1;
    from = sorted[first] ?? at;
  }
  return { count, from };
}

/** What was read of one record in both hubs, and what is known of its past. */
export interface DeadView {
  readonly mark: Mark;
  /** Of the record in the hub in use; `undefined`: it holds none. */
  readonly activeVersion: number | undefined;
  /** The hub in use holds the record with another handle. */
  readonly isElsewhere: boolean;
  /** Versions the record had in the hub in use when it was read before the verdict. */
  readonly versionsBefore: readonly number[];
  /** Of all that both hubs hold with the handle now. */
  readonly look: NonNullable<Mark['look']>;
  /** When both hubs last confirmed a write of its backend (epoch ms), or one waits. */
  readonly spokenAt: number;
}

/**
 * Whether a record may go from the standby. `alive`: its device, or its backend for it, wrote since the verdict, or has
 * moved to another handle. `unproven`: what the hub in use holds may have been written since.
 */
export function judgeDead(view: DeadView): 'dead' | 'alive' | 'unproven' {
  const { mark, activeVersion, isElsewhere, versionsBefore, look, spokenAt } = view;
  if (isElsewhere || spokenAt > mark.at) return 'alive';
  const first = mark.look;
  if (first !== undefined && (isOther(first.standby, look.standby) || isOther(first.active, look.active)))
    return 'alive';
  if (activeVersion === undefined || versionsBefore.includes(activeVersion)) return 'dead';
  // A verdict that is younger than a look: what is as it was then was called dead.
  return first !== undefined && first.at <= mark.at ? 'dead' : 'unproven';
}

/** What has gone since is no sign of life. */
function isOther(first: number | null, now: number | null): boolean {
  return now !== null && first !== now;
}

/** The newest handle that each leads to, and those that lead in a circle, which say nothing. */
export function resolveHandles(renewed: readonly Pick<Verdict, 'at' | 'platform' | 'handle' | 'newHandle'>[]) {
  const next = new Map<string, { readonly at: number; readonly handle: string }>();
  const keyOf = (platform: string, handle: string): string => `${platform}:${handle}`;
  for (const { at, platform, handle, newHandle } of renewed) {
    const key = keyOf(platform, handle);
    if (newHandle === undefined || newHandle === handle || at < (next.get(key)?.at ?? 0)) continue;
    next.set(key, { at, handle: newHandle });
  }
  const last = new Map<string, string>();
  let circles = 0;
  for (const { platform, handle } of renewed) {
    const key = keyOf(platform, handle);
    if (last.has(key) || !next.has(key)) continue;
    const seen = new Set<string>();
    let to = handle;
    for (let step = next.get(key); step !== undefined && !seen.has(to); step = next.get(keyOf(platform, to))) {
      seen.add(to);
      to = step.handle;
    }
    if (seen.has(to)) circles += 1;
    else last.set(key, to);
  }
  const renewals = renewed.flatMap(({ platform, handle }) => {
    const key = keyOf(platform, handle);
    const newHandle = last.get(key);
    last.delete(key);
    return newHandle === undefined ? [] : [{ platform, handle, newHandle }];
  });
  return { renewals, circles };
}

export type Renewal = ReturnType<typeof resolveHandles>['renewals'][number];
