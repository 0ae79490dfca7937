import { z } from 'zod';
import { DrError } from '../../core/errors.ts';
import { printRecord } from '../../core/fingerprint/row.ts';
import { PrintTable } from '../../core/fingerprint/table.ts';
import { parseJson, parseWith } from '../../core/parse.ts';
import { printsName, snapshotPrintsName } from '../../core/paths.ts';
import type { RestoreRun } from '../../core/run/run.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { recordsIn } from '../../core/snapshot/shard.ts';
import type { App } from '../app.ts';
import { sha256Hex } from '../stored/codec.ts';
import { bytesOf, packNumbers, unpackNumbers } from '../stored/numbers-blob.ts';
import type { OpenShard } from './store.ts';

/**
 * The prints of a snapshot's shard, for all passes of a restore: those the backup left beside it, or, where there are
 * none that can be used, such as are made of the shard itself.
 */
export async function openSnapshotPrints(
  app: App,
  run: RestoreRun,
  shard: number,
  { sha256, count, openRecords }: OpenShard,
): Promise<PrintTable> {
  const { sourceHub, snapshotId } = run.request;
  const found = await findPrints(app, snapshotPrintsName(sourceHub, snapshotId, shard), sha256);
  const prints = found?.count === count ? found : PrintTable.of(recordsIn(await openRecords()).map(printRecord));
  const name = printsName(run.id, shard);
  await app.blobs.put(name, packPrints(name, sha256, prints), 'any');
  return prints;
}

/** Those that `openSnapshotPrints` stored. Throws `StoredDocumentInvalid`, naming the blob, on missing or damaged ones. */
export async function readSnapshotPrints(app: App, run: RestoreRun, shard: number): Promise<PrintTable> {
  const name = printsName(run.id, shard);
  const blob = await app.blobs.get(name);
  if (blob === undefined) throw unusable(name, 'is missing');
  return parsePrints(name, blob.bytes).prints;
}

/** The prints the backup left beside a shard; `undefined` when there are none that can be used. */
export async function findSnapshotPrints(
  app: App,
  { hub, id, shards }: Manifest,
  shard: number,
): Promise<PrintTable | undefined> {
  return findPrints(app, snapshotPrintsName(hub, id, shard), shards[shard]?.sha256 ?? '');
}

async function findPrints(app: App, name: string, sha256: string): Promise<PrintTable | undefined> {
  const blob = await app.blobs.get(name, 'mayBeMissing');
  if (blob === undefined) return undefined;
  try {
    const { of, prints } = parsePrints(name, blob.bytes);
    if (of === sha256) return prints;
    app.log.warn('prints of another shard passed over', { name });
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.warn('prints passed over', { name, code: error.code });
  }
  return undefined;
}

/** The bytes of prints under a name, for a shard whose stored bytes have that SHA-256. */
export function packPrints(name: string, shardSha256: string, { platforms, numbers }: PrintTable): Uint8Array {
  const title: PrintsTitle = {
    prints: name,
    of: shardSha256,
    sha256: sha256Hex(bytesOf(numbers)),
    platforms: [...platforms],
  };
  return packNumbers(title, numbers);
}

function parsePrints(name: string, blob: Uint8Array): { readonly of: string; readonly prints: PrintTable } {
  const { title, numbers } = unpackNumbers(name, blob);
  const { of, sha256, platforms } = parseTitle(title, name);
  if (sha256Hex(bytesOf(numbers)) !== sha256) throw unusable(name, 'is not as it was stored');
  return { of, prints: new PrintTable(platforms, numbers) };
}

const titleSchema = z.strictObject({
  prints: z.string(),
  of: z.string(),
  sha256: z.string(),
  platforms: z.array(z.string()),
});
type PrintsTitle = z.infer<typeof titleSchema>;

/** The name in it shows that the prints stand where they were put. */
function parseTitle(text: string, name: string): PrintsTitle {
  const source = {
    code: 'StoredDocumentInvalid',
    what: `prints ${name}`,
    hint: 'Start a new run.',
    target: name,
  } as const;
  const title = parseWith(titleSchema, parseJson(text, source), source);
  if (title.prints !== name) throw unusable(name, 'holds what was stored elsewhere');
  return title;
}

function unusable(name: string, what: string): DrError {
  return new DrError('StoredDocumentInvalid', `The prints ${name} of the snapshot ${what}. Start a new run.`, {
    target: name,
  });
}
