import { journalName } from '../../../core/paths.ts';
import type { Note } from '../../../core/restore/seen.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

/**
 * By the position of a record in its shard the version hashes of its rows (ids, ETags and content, none of which can be
 * read back), or that it was written again.
 */
export type Journal = ReadonlyMap<number, Note>;

/** Notes what a pass saw of one shard. The same pass stores the same again. */
export async function storeJournal(app: App, run: RestoreRun, shard: number, journal: Journal): Promise<void> {
  const name = journalName(run.id, run.phase.pass, shard);
  const seen = [...journal].flatMap(([index, versionHashes]): [number, ...number[]][] =>
    versionHashes === 'rewritten' ? [] : [[index, ...versionHashes]],
  );
  const rewritten = [...journal].flatMap(([index, versionHashes]) => (versionHashes === 'rewritten' ? [index] : []));
  await documents.journal.write(app, name, { seen, rewritten }, 'any');
}

/** Of the passes up to `last`; a restore takes no notes in its first one, a rollback does. */
export async function readJournals(app: App, run: RestoreRun, last: number, shard: number): Promise<Journal[]> {
  const journals: Journal[] = [];
  for (let pass = run.request.purpose === 'rollback' ? 1 : 2; pass <= last; pass++) {
    journals.push(await readJournal(app, run.id, pass, shard));
  }
  return journals;
}

/** Throws `StoredDocumentInvalid` when it is missing or damaged: without it, what a device changed would be a guess. */
async function readJournal(app: App, runId: string, pass: number, shard: number): Promise<Journal> {
  const { seen, rewritten } = await documents.journal.read(app, journalName(runId, pass, shard));
  return new Map<number, Note>([
    ...seen.map(([index, ...versionHashes]) => [index, versionHashes] as const),
    ...rewritten.map((index) => [index, 'rewritten'] as const),
  ]);
}
