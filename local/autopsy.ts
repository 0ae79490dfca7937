import { type BlobItem, ContainerClient } from '@azure/storage-blob';
import { z } from 'zod';
import { createApi } from './api.ts';
import type { MissedDevice } from './delivery.ts';
import { restoreIdOf } from './rehearsal.ts';
import type { Stack } from './stack.ts';

export interface Findings {
  /** What the rehearsal threw, if it did not finish. */
  readonly error: Error | undefined;
  readonly missed: readonly MissedDevice[];
  /** What was wrong with the restore's status. */
  readonly violations: readonly string[];
  /** The hosts' warnings and errors. */
  readonly warnings: readonly string[];
}

const MAX_WARNINGS = 60;
const idMapSchema = z.object({ ids: z.record(z.string(), z.unknown()) });

/** Prints what is known about a failed storm, without handles and tags. */
export async function explain(stack: Stack, seed: number, found: Findings, say: (line: string) => void): Promise<void> {
  const runId = restoreIdOf(seed);
  if (found.error !== undefined) say(`   the rehearsal was aborted: ${found.error.message}`);
  for (const violation of found.violations) say(`   wrong status: ${violation}`);
  for (const [kind, count] of kindsOf(found.missed)) say(`   ${count} devices: ${kind}`);
  say(`   restore: ${await viewOf(stack, runId)}`);
  say(`   id map: ${await describeIdMap(stack)}`);
  const last = found.warnings.slice(-MAX_WARNINGS);
  say(`   warnings of the hosts, the last ${last.length} of ${found.warnings.length}:`);
  for (const warning of last) say(`     ${warning}`);
}

/** How many devices of each kind, most first. */
function kindsOf(missed: readonly MissedDevice[]): [string, number][] {
  const kinds = new Map<string, number>();
  for (const device of missed) {
    const { fault, platform, record, snapshotRows, liveRows, expected, received, isChurned } = device;
    const life = liveRows === 0 ? 'not live' : snapshotRows === 0 ? 'new in the secondary' : 'returning';
    const kind = [
      `${fault}: ${platform}, ${record}, ${snapshotRows} rows in the primary, ${liveRows} live, ${life}`,
      ...(isChurned ? ['churned'] : []),
      `got ${received} of ${expected}`,
    ].join(', ');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].sort(([, a], [, b]) => b - a);
}

async function viewOf(stack: Stack, runId: string): Promise<string> {
  try {
    const { status, body } = await createApi(() => stack.host, 10_000).call('GET', `/api/restores/${runId}`);
    return `${status} ${JSON.stringify(body)}`;
  } catch (error) {
    // The rest of the report does not need it.
    return `its status could not be read (${error})`;
  }
}

async function describeIdMap({ azurite }: Stack): Promise<string> {
  const container = new ContainerClient(azurite.connectionString, 'hub-snapshots');
  if (!(await container.exists())) return 'no container';
  const entries: BlobItem[] = [];
  for await (const entry of container.listBlobsFlat()) {
    if (entry.name.includes('/id-map/')) entries.push(entry);
  }
  let idCount = 0;
  for (const { name } of entries) {
    const bytes = await container.getBlobClient(name).downloadToBuffer();
    idCount += Object.keys(idMapSchema.parse(JSON.parse(bytes.toString('utf8'))).ids).length;
  }
  return `${idCount} new ids in ${entries.length} shards`;
}
