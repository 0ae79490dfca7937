import { counted, grouped } from '../words.ts';
import type { Manifest, RecordCounts } from './manifest.ts';
import { type ScanCheckpoint, unreadInWords } from './scan-checkpoint.ts';

/** The listing may begin again this often (its token was lost) before its result is doubted. */
const MAX_TRUSTED_RESTARTS = 2;

/** A share of rows that may be unreadable: a few odd ones must not keep all others from being `latest`. */
const MAX_TRUSTED_UNREADABLE = 0.001;

/** Of a part, fewer may be missing than this: of three devices on a platform one may be gone. */
const MIN_TRUSTED_DROP = 20;

export interface Earlier {
  /** Of the last good snapshots of the pair, in any order; of one that was accepted, alone. */
  readonly good: readonly RecordCounts[];
  /** Those of the same hub: the other may hold devices twice, which a restore does not, so that parts are fewer. */
  readonly ofHub: readonly RecordCounts[];
  /** Of the suspect ones since, newest first. */
  readonly suspect: readonly RecordCounts[];
}

export interface HealthLimits {
  readonly suspectDropPercent: number;
  /** A fall that this many snapshots in a row show alike is taken for what happened; 0: never. */
  readonly suspectAcceptAfter: number;
}

/**
 * Judges a finished backup. A fall of more than `suspectDropPercent` below the usual counts, of all records or of a part
 * of them, is what a broken listing or an emptied hub looks like, unless the snapshots before show it alike. The reasons
 * are why a suspect one is kept but never chosen by itself.
 */
export function judgeSnapshot(
  counts: RecordCounts,
  { good, ofHub, suspect }: Earlier,
  { restartCount, ...unread }: Pick<ScanCheckpoint, 'restartCount' | 'unreadableCount' | 'unreadableAt'>,
  limits: HealthLimits,
) {
  const { suspectDropPercent: percent, suspectAcceptAfter } = limits;
  const { records } = counts;
  const isAlike = (one: RecordCounts): boolean =>
    findFalls(counts, [one], percent).length === 0 && findFalls(one, [counts], percent).length === 0;
  const before = suspect.slice(0, Math.max(0, suspectAcceptAfter - 1));
  const isAccepted = suspectAcceptAfter > 0 && before.length === suspectAcceptAfter - 1 && before.every(isAlike);
  const reasons = records === 0 ? ['the hub was empty'] : isAccepted ? [] : findFalls(counts, good, percent, ofHub);
  if (restartCount > MAX_TRUSTED_RESTARTS)
    reasons.push(`the listing had to begin again ${counted(restartCount, 'time')}`);
  const unreadRows = unreadInWords(unread);
  if (unreadRows !== undefined && unread.unreadableCount > MAX_TRUSTED_UNREADABLE * records) reasons.push(unreadRows);
  const health: Manifest['health'] = reasons.length === 0 ? 'good' : 'suspect';
  return { health, healthReasons: reasons };
}

/** What is far below its median. A part is named only where all records are not. */
function findFalls(
  counts: RecordCounts,
  earlier: readonly RecordCounts[],
  percent: number,
  earlierParts = earlier,
): string[] {
  const fallOf = (
    what: string,
    countOf: (one: RecordCounts) => number,
    { among = earlierParts, leastDrop = MIN_TRUSTED_DROP } = {},
  ): string[] => {
    const [value, usual] = [countOf(counts), median(among.map(countOf))];
    if (usual === undefined || value >= usual * (1 - percent / 100) || usual - value <= leastDrop) return [];
    return [`${grouped(value)} ${what}, more than ${percent} % below the usual ${grouped(Math.round(usual))}`];
  };
  const ofAll = fallOf('records', ({ records }) => records, { among: earlier, leastDrop: 0 });
  if (ofAll.length > 0) return ofAll;
  const platforms = new Set(earlierParts.flatMap(({ byPlatform }) => Object.keys(byPlatform)));
  return [
    fallOf('installations', ({ installations }) => installations),
    fallOf('registrations', ({ registrations }) => registrations),
    fallOf('templates', ({ templates }) => templates),
    ...[...platforms]
      .sort()
      .map((platform) => fallOf(`registrations of ${platform}`, ({ byPlatform }) => byPlatform[platform] ?? 0)),
  ].flat();
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return undefined;
  const lower = sorted[middle - 1] ?? upper;
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}
