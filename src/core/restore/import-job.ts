import { z } from 'zod';
import { hash53 } from '../bytes/hash.ts';
import type { RestoreRun } from '../run/run.ts';
import { type LineResult, REFUSED, UNTOLD } from './import-file.ts';

const count = z.int().nonnegative();
const instant = z.iso.datetime();

/**
 * An import job that a restore has asked its hub for, for one shard, from before it is handed over. No address is stored.
 * `revoked`: its files and addresses are gone, and it may be at work all the same; `overdue`: likewise, and no longer
 * waited for; `ended`: nothing more comes of it.
 */
export const importSchema = z.strictObject({
  state: z.enum(['asked', 'submitted', 'revoked', 'overdue', 'ended']),
  /** Made for it alone, so that the job is known by it. */
  container: z.string(),
  /** Its lines name the snapshot's registration ids. */
  hasIds: z.boolean(),
  askedAt: instant,
  /** When it was handed over, or was about to be. */
  submittedAt: instant.optional(),
  jobId: z.string().optional(),
  /** In percent, as last seen. */
  progress: z.number().optional(),
  /** When that last grew. */
  movedAt: instant,
  /** When its files and addresses were taken away while it had not ended. */
  revokedAt: instant.optional(),
  /** How many of its records were looked at, after it had ended late. */
  lookedAfter: count.default(0),
  /** Of each line: the position of the record in its shard, and of the row in the record. */
  lines: z.array(z.tuple([count, count])),
  /** What the job says of each line, see `LineResult`; absent until it has ended. */
  made: z.array(z.string()).optional(),
  /** Lines it refused, by its words for it. */
  refusals: z.record(z.string(), count).default({}),
});

export type ImportState = Readonly<z.infer<typeof importSchema>>;

/** A restore with jobs that may not have ended. */
export const openImportsSchema = z.strictObject({ runId: z.string() });

/** The file in a job's container that it is to read. */
export const IMPORT_FILE = 'input.txt';

/** A name that the storage takes, whatever the run is called; `tries` from 1. */
export function importContainer(runId: string, shard: number, wave: number, tries: number): string {
  return `dr-import-${hash53(runId).toString(16)}-${shard}-${wave}-${tries}`;
}

/** Below this, direct writing is done before a job has begun: about a minute. */
const AUTO_RECORDS = 50_000;
const AUTO_LINES = 1000;

/**
 * Whether this many registrations of one shard are worth a job. A sync never waits for one: an operator's restore may have
 * to take its place.
 */
export function isWorthJob(
  writer: 'direct' | 'import' | 'auto',
  { recordCount }: RestoreRun,
  lineCount: number,
): boolean {
  if (writer === 'auto') return recordCount >= AUTO_RECORDS && lineCount >= AUTO_LINES;
  return writer === 'import' && lineCount > 0;
}

export function mayImport({ phase, request, imports }: RestoreRun): boolean {
  const { purpose, dryRun } = request;
  const isFirst = phase.pass === 1 && !dryRun;
  return isFirst && (purpose === 'restore' || purpose === 'drill') && imports?.isOff !== true;
}

/** Whether nothing that the job was given may be written by others, or be called gone, yet. */
export function mayStillMake({ state, revokedAt }: ImportState, nowMs: number, patienceMs: number): boolean {
  return state !== 'ended' && (revokedAt === undefined || nowMs < Date.parse(revokedAt) + patienceMs);
}

/** Positions of the records of which the job says that it made all. */
export function recordsMade({ lines, made = [] }: ImportState): ReadonlySet<number> {
  const all = new Set(lines.map(([index]) => index));
  for (const [line, [index]] of lines.entries()) {
    const result = made[line] ?? UNTOLD;
    if (result === UNTOLD || result === REFUSED) all.delete(index);
  }
  return all;
}

/**
 * Whether a row with that id may be what the job made of a line: by what it says of it, or, where it says nothing, any.
 */
export function mayBeMade({ made }: ImportState): (line: number, id: string) => boolean {
  const ids: ReadonlySet<LineResult> = new Set(made);
  return (line, id) => {
    const result = made?.[line] ?? UNTOLD;
    return result !== REFUSED && (result === UNTOLD || ids.has(id));
  };
}

export interface ImportCounts {
  readonly jobs: number;
  readonly lines: number;
  readonly made: number;
  readonly refused: number;
}

export function countImport({ lines, made = [] }: ImportState): ImportCounts {
  const refused = made.filter((one) => one === REFUSED).length;
  const untold = made.filter((one) => one === UNTOLD).length;
  return { jobs: 1, lines: lines.length, made: made.length - refused - untold, refused };
}
