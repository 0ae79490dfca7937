import { DrError } from '../../../core/errors.ts';
import {
  intentOf,
  isWrittenOutcome,
  newestLetters,
  outcomeOf,
  type ShardOutcomes,
  type WrittenOutcome,
} from '../../../core/restore/plan/outcomes.ts';
import type { WrittenRecord } from '../../../core/restore/plan/removal.ts';
import { seenVersions } from '../../../core/restore/plan/seen.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { readRun } from '../../runs/store.ts';
import { readJournals } from './journal.ts';
import { readOutcomes } from './store.ts';

/** The restore a retry or a rollback is about. Throws `StoredDocumentInvalid` when its document is gone. */
export async function readRunOf(app: App, run: RestoreRun): Promise<RestoreRun> {
  const of = run.request.of ?? '';
  const found = await readRun(app, 'restore', of);
  if (found !== undefined) return found;
  const message = `The restore '${of}', which run ${run.id} is about, is no longer stored. Start a new restore.`;
  throw new DrError('StoredDocumentInvalid', message, { target: of });
}

/**
 * What a restore wrote of a shard's records, by position: all that it created or added to, also what it had begun when
 * it died or was refused the rest.
 */
export async function readWritten(
  app: App,
  run: RestoreRun,
  shard: number,
): Promise<ReadonlyMap<number, WrittenRecord>> {
  const newest = await readNewest(app, run, shard);
  const written = new Map<number, WrittenRecord>();
  if (newest === undefined) return written;
  const seen = await readSeen(app, run, shard);
  const added = new Map(newest.added.map(({ index, rows }) => [index, rows]));
  for (const [index, outcome] of outcomesOfWritten(newest)) {
    const more = outcome === 'created' ? {} : { added: added.get(index) ?? [] };
    written.set(index, { ...more, ...seen.get(index), ...(run.request.purpose === 'drill' ? { isOurs: true } : {}) });
  }
  return written;
}

/** By position what the writing of a shard's records has made of them, or was about to; without what only the target holds. */
export function outcomesOfWritten(outcomes: ShardOutcomes): Map<number, WrittenOutcome> {
  const { letters, extraCount } = outcomes;
  return outcomesOfAll({ ...outcomes, letters: letters.slice(0, letters.length - extraCount) });
}

/** Likewise, with that. */
export function outcomesOfAll({ letters, failures }: ShardOutcomes): Map<number, WrittenOutcome> {
  const attempted = new Map(failures.map(({ index, attempted: intent }) => [index, intent]));
  const written = new Map<number, WrittenOutcome>();
  for (const [index, letter] of [...letters].entries()) {
    const outcome = intentOf(letter) ?? attempted.get(index) ?? outcomeOf(letter);
    if (isWrittenOutcome(outcome)) written.set(index, outcome);
  }
  return written;
}

/** The result of the newest pass, its letters filled up from the pass before. */
export async function readNewest(app: App, run: RestoreRun, shard: number): Promise<ShardOutcomes | undefined> {
  for (let pass = run.phase.pass; pass >= 1; pass--) {
    const outcomes = (await readOutcomes(app, run, pass, shard))?.value;
    if (outcomes === undefined) continue;
    const before = pass === 1 ? undefined : (await readOutcomes(app, run, pass - 1, shard))?.value;
    return { ...outcomes, letters: newestLetters(outcomes.letters, before?.letters) };
  }
  return undefined;
}

/** Of a retry the positions of what failed in the restore that it is about: others are tried first. */
export async function readFailedBefore(app: App, run: RestoreRun, shard: number): Promise<ReadonlySet<number>> {
  if (run.request.purpose !== 'retry' || run.phase.pass > 1) return new Set();
  const newest = await readNewest(app, await readRunOf(app, run), shard);
  return new Set(newest?.failures.map(({ index }) => index));
}

/** Of each record the version hashes of its rows as the restore left them, where that is known, and its repairs. */
async function readSeen(
  app: App,
  run: RestoreRun,
  shard: number,
): Promise<Map<number, Pick<WrittenRecord, 'seen' | 'altered' | 'rewriteCount'>>> {
  const { journals } = await readDonePasses(app, run, shard);
  const seen = new Map<number, Pick<WrittenRecord, 'seen' | 'altered' | 'rewriteCount'>>();
  // No device changed most of what was written: what the first look showed is how the target stores what it was sent.
  const isAltering = run.error?.code === 'TargetAltersRecords';
  for (const index of new Set(journals.flatMap((journal) => [...journal.keys()]))) {
    const notes = journals.map((journal) => journal.get(index));
    const found = seenVersions(notes);
    const rewriteCount = notes.filter((note) => note === 'rewritten').length;
    const altered = new Set(isAltering ? found?.altered : []);
    const versions = found && { seen: new Set([...found.seen, ...altered]), altered };
    seen.set(index, { ...versions, ...(rewriteCount > 0 ? { rewriteCount } : {}) });
  }
  return seen;
}

/** Of the passes that came to their end: what they noted, and how often they wrote a record again. */
export async function readDonePasses(app: App, run: RestoreRun, shard: number) {
  const first = run.request.purpose === 'rollback' ? 1 : 2;
  const done: ShardOutcomes[] = [];
  for (;;) {
    const outcomes = (await readOutcomes(app, run, first + done.length, shard))?.value;
    if (!outcomes?.isDone) break;
    done.push(outcomes);
  }
  const journals = await readJournals(app, run, first - 1 + done.length, shard);
  const countRewrites = (index: number): number => done.filter(({ rewritten }) => rewritten.includes(index)).length;
  return { journals, countRewrites };
}
