import { askedName, journalName } from '../../../core/paths.ts';
import type { JournalNote } from '../../../core/restore/plan/seen.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { documents } from '../../stored/documents.ts';

/** By the position of a record in its shard what a pass saw of it: hashes, of which nothing can be read back. */
export type Journal = ReadonlyMap<number, JournalNote>;

/** Notes what a pass saw of one shard. The same pass stores the same again. */
export async function storeJournal(app: App, run: RestoreRun, shard: number, journal: Journal): Promise<void> {
  await store(app, journalName(run.id, run.phase.pass, shard), journal);
}

/** Likewise while the pass is not done with the shard, of the records the hub was asked for. */
export async function storeAsked(app: App, run: RestoreRun, shard: number, asked: Journal): Promise<void> {
  await store(app, askedName(run.id, run.phase.pass, shard), asked);
}

export async function readAsked(app: App, run: RestoreRun, shard: number): Promise<Journal> {
  const found = await documents.journal.find(app, askedName(run.id, run.phase.pass, shard));
  return found === undefined ? new Map() : toJournal(found.value);
}

async function store(app: App, name: string, journal: Journal): Promise<void> {
  const seen: [number, ...number[]][] = [];
  const altered: [number, ...number[]][] = [];
  const rewritten: number[] = [];
  for (const [index, note] of journal) {
    if (note === 'rewritten') rewritten.push(index);
    else {
      seen.push([index, ...note.seen]);
      if (note.altered !== undefined) altered.push([index, ...note.altered]);
    }
  }
  await documents.journal.write(app, name, { seen, rewritten, altered }, 'any');
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
  return toJournal(await documents.journal.read(app, journalName(runId, pass, shard)));
}

interface StoredJournal {
  readonly seen: readonly (readonly [number, ...number[]])[];
  readonly rewritten: readonly number[];
  readonly altered: readonly (readonly [number, ...number[]])[];
}

function toJournal({ seen, rewritten, altered }: StoredJournal): Journal {
  const alteredAt = new Map(altered.map(([index, ...hashes]) => [index, { altered: hashes }]));
  return new Map<number, JournalNote>([
    ...seen.map(([index, ...hashes]) => [index, { seen: hashes, ...alteredAt.get(index) }] as const),
    ...rewritten.map((index) => [index, 'rewritten'] as const),
  ]);
}
