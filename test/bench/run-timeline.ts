import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BlobClient, BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { type RunKind, runName } from '../../src/core/paths.ts';

const phaseSchema = z.object({
  name: z.string(),
  pass: z.number(),
  startedAt: z.string(),
  notBefore: z.string().optional(),
});
type Phase = z.infer<typeof phaseSchema>;

/** A run's document, as far as it is looked at here. */
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

/** A run and when each of its phases began, by its own document. */
export interface Timeline {
  readonly run: Run;
  readonly seconds: number;
  /** By phase and pass, as `scan1`; waiting for the hub to settle counts as `settle`. */
  readonly parts: Readonly<Record<string, number>>;
}

/** Looks at the document in storage, past the host, so that watching costs the host nothing. */
export interface RunWatcher {
  finished(kind: RunKind, runId: string): Promise<Timeline>;
}

const LOOK_EVERY_MS = 50;

export function createRunWatcher(storage: string, container: string): RunWatcher {
  const blobs = BlobServiceClient.fromConnectionString(storage).getContainerClient(container);
  return {
    async finished(kind, runId) {
      const name = runName(kind, runId);
      const phases = new Map<string, Phase>();
      for (;;) {
        const run = runSchema.parse(JSON.parse(await read(blobs.getBlobClient(name))));
        phases.set(`${run.phase.name}${run.phase.pass}`, run.phase);
        if (run.finishedAt !== undefined) return toTimeline(run, [...phases]);
        await sleep(LOOK_EVERY_MS);
      }
    },
  };
}

async function read(blob: BlobClient): Promise<string> {
  const { readableStreamBody } = await blob.download();
  if (readableStreamBody === undefined) throw new Error('Storage gave no body.');
  return text(readableStreamBody);
}

/** A phase shorter than a look counts to the one before it. */
function toTimeline(run: Run, phases: readonly (readonly [string, Phase])[]): Timeline {
  const parts: Record<string, number> = {};
  const endAt = Date.parse(run.finishedAt ?? run.createdAt);
  for (const [index, [name, phase]] of phases.entries()) {
    const startAt = Date.parse(phase.startedAt);
    const nextAt = Date.parse(phases[index + 1]?.[1].startedAt ?? new Date(endAt).toISOString());
    const workAt = phase.notBefore === undefined ? startAt : Math.max(startAt, Date.parse(phase.notBefore));
    parts['settle'] = (parts['settle'] ?? 0) + (workAt - startAt) / 1000;
    parts[name] = (nextAt - workAt) / 1000;
  }
  return { run, seconds: (endAt - Date.parse(run.createdAt)) / 1000, parts };
}
