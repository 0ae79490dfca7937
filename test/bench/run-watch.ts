import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { z } from 'zod';
import { type RunKind, runName } from '../../src/core/paths.ts';

const phaseSchema = z.object({
  name: z.string(),
  pass: z.number(),
  wave: z.number().optional(),
  startedAt: z.string(),
  notBefore: z.string().optional(),
});

/** As much of a run's document as the benchmark reads. */
const runSchema = z.object({
  status: z.string(),
  createdAt: z.string(),
  finishedAt: z.string().optional(),
  phase: phaseSchema,
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  result: z
    .object({
      registrationCount: z.number().optional(),
      counts: z.object({ total: z.number(), created: z.number(), unchanged: z.number() }).optional(),
    })
    .optional(),
});
type Run = z.infer<typeof runSchema>;

/** A run, and when each of its phases began. */
export interface Timeline {
  readonly run: Run;
  readonly seconds: number;
  /** By phase and pass, as `scan1`; waiting for the hub to settle counts as `settle`. */
  readonly parts: Readonly<Record<string, number>>;
}

/** The container of the default settings. */
const CONTAINER = 'hub-snapshots';
const POLL_EVERY_MS = 50;

/**
 * Waits for the end of a run. Reads its document in storage, past the host, so that watching costs the host nothing.
 * Throws when the run does not succeed.
 */
export async function finishedRun(storage: string, kind: RunKind, runId: string): Promise<Timeline> {
  const container = BlobServiceClient.fromConnectionString(storage).getContainerClient(CONTAINER);
  const blob = container.getBlobClient(await findRun(container, runName(kind, runId)));
  const phases = new Map<string, z.infer<typeof phaseSchema>>();
  for (;;) {
    const { readableStreamBody } = await blob.download();
    if (readableStreamBody === undefined) throw new Error('Storage gave no body.');
    const run = runSchema.parse(await json(readableStreamBody));
    phases.set(`${run.phase.name}${run.phase.pass}.${run.phase.wave ?? 0}`, run.phase);
    if (run.status !== 'Succeeded' && run.finishedAt !== undefined) {
      throw new Error(`The ${kind} ended ${run.status}: ${run.error?.code} ${run.error?.message}`);
    }
    if (run.finishedAt !== undefined) return toTimeline(run, [...phases], Date.parse(run.finishedAt));
    await sleep(POLL_EVERY_MS);
  }
}

/** The run lies in the folder of its pair of hubs, under its name without the first character. */
async function findRun(container: ContainerClient, name: string): Promise<string> {
  for await (const found of container.listBlobsFlat({ prefix: '_pairs/' })) {
    if (found.name.endsWith(`/${name.slice(1)}`)) return found.name;
  }
  throw new Error(`There is no ${name} in any pair of hubs.`);
}

/** A phase shorter than a poll counts to the one before it. */
function toTimeline(run: Run, phases: [string, Run['phase']][], endAt: number): Timeline {
  const parts: Record<string, number> = { settle: 0 };
  for (const [index, [, phase]] of phases.entries()) {
    const startAt = Date.parse(phase.startedAt);
    const next = phases[index + 1]?.[1];
    const nextAt = next === undefined ? endAt : Date.parse(next.startedAt);
    const workAt = Math.max(startAt, Date.parse(phase.notBefore ?? phase.startedAt));
    parts['settle'] = (parts['settle'] ?? 0) + (workAt - startAt) / 1000;
    const name = `${phase.name}${phase.pass}`;
    parts[name] = (parts[name] ?? 0) + (nextAt - workAt) / 1000;
  }
  return { run, seconds: (endAt - Date.parse(run.createdAt)) / 1000, parts };
}
