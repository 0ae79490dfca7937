import { z } from 'zod';
import { DrError } from '../core/errors.ts';
import { parseJson, parseWith } from '../core/parse.ts';
import { journalName } from '../core/paths.ts';
import type { RestoreRun } from '../core/run.ts';
import type { App } from './app.ts';
import { compress, decompress, openDocument, sealDocument, toBytes, toText } from './codec.ts';

const count = z.int().nonnegative();
const journalSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** A record's position in its shard, and the marks of its rows. */
  seen: z.array(z.tuple([count], count)),
});

/** The marks of rows, by the position of their record in the shard: ids, ETags and content, none of which can be read back. */
export type Journal = ReadonlyMap<number, readonly number[]>;

/** Notes what a pass saw of one shard. The same pass stores the same again. */
export async function storeJournal(app: App, run: RestoreRun, shard: number, journal: Journal): Promise<void> {
  const name = journalName(run.id, run.phase.pass, shard);
  const seen = [...journal].map(([index, marks]) => [index, ...marks]);
  const bytes = sealDocument(name, JSON.stringify({ formatVersion: 1, seen }));
  await app.blobs.put(name, await compress(toText(bytes)), 'any');
}

/** Throws `StoredDocumentInvalid` when it is missing or damaged: without it, what a device changed would be a guess. */
export async function readJournal(app: App, runId: string, pass: number, shard: number): Promise<Journal> {
  const name = journalName(runId, pass, shard);
  const source = {
    code: 'StoredDocumentInvalid',
    what: `journal ${name}`,
    hint: 'What the restore wrote can no longer be told from what devices changed since: remove it by hand.',
    target: name,
  } as const;
  const blob = await app.blobs.get(name);
  if (blob === undefined)
    throw new DrError(source.code, `The ${source.what} is missing. ${source.hint}`, { target: name });
  const json = openDocument(name, toBytes(await decompress(blob.bytes, name)));
  const { seen } = parseWith(journalSchema, parseJson(json, source), source);
  return new Map(seen.map(([index, ...marks]) => [index, marks]));
}
