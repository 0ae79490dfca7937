import { z } from 'zod';
import { counted, grouped } from '../words.ts';

const count = z.int().nonnegative();

/**
 * An export job that a backup has asked its hub for, from before it is submitted. The address with its SAS is never
 * stored: another try gets another one.
 */
export const exportSchema = z.strictObject({
  state: z.enum(['asked', 'submitted', 'written', 'givenUp']),
  /** Where the job is to write; made for it alone, so that a job is known by it. */
  container: z.string(),
  /** What it exports has been read from then on. */
  askedAt: z.iso.datetime(),
  jobId: z.string().optional(),
  /** In percent, as last seen. */
  progress: z.number().optional(),
  /** When that last grew. */
  movedAt: z.iso.datetime(),
  file: z.strictObject({ name: z.string(), sizeBytes: count }).optional(),
  /** Why it was given up: a whole sentence. */
  reason: z.string().optional(),
});

export type ExportState = Readonly<z.infer<typeof exportSchema>>;

/** The container of one job: what is left of it goes by the beginning of its name. */
export const exportContainer = (id: string): string => `dr-export-${id.toLowerCase()}`;

/** A job's SAS lasts this long, and so no job is waited for longer. */
export const EXPORT_GRANT_MS = 4 * 3_600_000;
const MAX_EXPORT_MS = EXPORT_GRANT_MS - 1_800_000;
/** Below this the listing is over before a job has begun: some 25 s at 50 ms a page. */
export const AUTO_EXPORT_FROM = 50_000;
/** As for a listing: a few odd rows are left out and counted, more are no export. */
const MAX_UNREADABLE_SHARE = 0.001;

/** How far a job of either kind is. */
type JobTimes = Pick<ExportState, 'askedAt' | 'movedAt' | 'progress'>;

/** Why a job that is not done is no longer waited for; `undefined` while it is. */
export function whyGivenUp({ askedAt, movedAt, progress = 0 }: JobTimes, nowMs: number, patienceMs: number) {
  const since = (instant: string) => counted(Math.round((nowMs - Date.parse(instant)) / 60_000), 'minute');
  if (nowMs - Date.parse(askedAt) >= MAX_EXPORT_MS) {
    return `it was not done after ${since(askedAt)}`;
  }
  if (nowMs - Date.parse(movedAt) < patienceMs) return undefined;
  return `it has stayed at ${progress} % for ${since(movedAt)}`;
}

/** How long to wait before a job is looked at again: soon at first, then four times a minute. */
export function nextLookMs({ askedAt }: Pick<JobTimes, 'askedAt'>, nowMs: number): number {
  return Math.min(15_000, Math.max(2000, (nowMs - Date.parse(askedAt)) / 4));
}

/**
 * Why what an export held cannot be all of the hub, as the end of a sentence: a job that is done has not always done
 * anything. `usual`: how many rows the hub's last good snapshot has.
 */
export function whyNotWhole(
  { rowCount, unreadableCount }: { readonly rowCount: number; readonly unreadableCount: number },
  usual: number | undefined,
  suspectDropPercent: number,
): string | undefined {
  if (rowCount === 0) return 'it holds no registration';
  if (unreadableCount > MAX_UNREADABLE_SHARE * rowCount) {
    return `${grouped(unreadableCount)} of its ${counted(rowCount, 'registration')} cannot be read`;
  }
  if (usual === undefined || rowCount >= usual * (1 - suspectDropPercent / 100)) return undefined;
  return `it holds ${counted(rowCount, 'registration')}, and the last good snapshot ${grouped(usual)}`;
}
