import { z } from 'zod';
import { DrError } from '../../../core/errors.ts';
import { parseJson, parseWith } from '../../../core/parse.ts';
import { journalName } from '../../../core/paths.ts';
import type { RestoreRun } from '../../../core/run/run.ts';
import type { App } from '../../app.ts';
import { decompress, openDocument, sealDocument } from '../../stored/codec.ts';

const count = z.int().nonnegative();
const journalSchema = z.strictObject({
  formatVersion: z.literal(2),
  /** A record's position in its shard, and the marks of its rows. */
  seen: z.array(z.tuple([count], count)),
  /** Positions of records that were written again: what was seen of them before no longer holds. */
  rewritten: z.array(count),
});

/**
 * By the position of a record in its shard the marks of its rows (ids, ETags and content, none of which can be read
 * back), or that it was written again.
 */
export type Journal = ReadonlyMap<number, readonly number[] | 'rewritten'>;

/** Notes what a pass saw of one shard. The same pass stores the same again. */
export async function storeJournal(app: App, run: RestoreRun, shard: number, journal: Journal): Promise<void> {
  const name = journalName(run.id, run.phase.pass, shard);
  const seen = [...journal].flatMap(([index, marks]) => (marks === 'rewritten' ? [] : [[index, ...marks]]));
  const rewritten = [...journal].flatMap(([index, marks]) => (marks === 'rewritten' ? [index] : []));
  const bytes = sealDocument(name, JSON.stringify({ formatVersion: 2, seen, rewritten }));
  await app.blobs.put(name, await app.world.gzip(bytes), 'any');
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
  const json = openDocument(name, await decompress(app.world, blob.bytes, name));
  const { seen, rewritten } = parseWith(journalSchema, parseJson(json, source), source);
  return new Map<number, number[] | 'rewritten'>([
    ...seen.map(([index, ...marks]) => [index, marks] as const),
    ...rewritten.map((index) => [index, 'rewritten'] as const),
  ]);
}
