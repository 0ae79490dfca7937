import { z } from 'zod';
import { DrError } from '../../../core/errors.ts';
import { parseJson, parseWith } from '../../../core/parse.ts';
import { PACE_NAME, resultsFolder, seenName } from '../../../core/paths.ts';
import type { HubRef } from '../../../core/ports.ts';
import type { RestoreCounts, RestoreRun } from '../../../core/run/run.ts';
import { type App, toInstant } from '../../app.ts';
import { openDocument, sealDocument } from '../../stored/codec.ts';

/** What a restore leaves behind for the readiness card, so that asking for it reads no old runs. */

/** Fewer writes than this say nothing about the rate. */
const LEAST_WRITES = 100;

const paceSchema = z.strictObject({
  formatVersion: z.literal(1),
  runId: z.string(),
  basis: z.enum(['restore', 'drill']),
  recordsPerSecond: z.number().positive(),
  at: z.iso.datetime(),
});
const seenSchema = z.strictObject({
  formatVersion: z.literal(1),
  runId: z.string(),
  devices: z.int().nonnegative(),
  at: z.iso.datetime(),
});

export type RestorePace = Readonly<z.infer<typeof paceSchema>>;
export type SeenHub = Readonly<z.infer<typeof seenSchema>>;

/**
 * Notes how many records a second the run's first pass put in place, from its start to the last write: its listing of
 * the target included, for a failover waits for that, too. A pass that found most in place already says nothing.
 */
export async function notePace(app: App, run: RestoreRun, counts: RestoreCounts): Promise<void> {
  const written = counts.created + counts.updated;
  if (run.request.dryRun || written < LEAST_WRITES || written * 2 < counts.total) return;
  const nowMs = app.world.now();
  const seconds = Math.max((nowMs - Date.parse(run.createdAt)) / 1000, 0.001);
  const pace: RestorePace = {
    formatVersion: 1,
    runId: run.id,
    basis: run.request.purpose === 'drill' ? 'drill' : 'restore',
    recordsPerSecond: Math.max(0.1, Math.round((written / seconds) * 10) / 10),
    at: toInstant(nowMs),
  };
  await app.blobs.put(PACE_NAME, sealDocument(PACE_NAME, JSON.stringify(pace)), 'any');
}

/** Notes how many devices the run's last listing of its target showed. */
export async function noteSeen(app: App, run: RestoreRun): Promise<void> {
  const sealed = await app.blobs.list(resultsFolder('restore', run.id, run.phase.pass, 'seal'));
  const devices = sealed.reduce((sum, { facts }) => sum + Number(facts['records']), 0);
  if (sealed.length < run.shardCount || !Number.isInteger(devices)) return;
  const seen: SeenHub = { formatVersion: 1, runId: run.id, devices, at: toInstant(app.world.now()) };
  const name = seenName(run.hub);
  await app.blobs.put(name, sealDocument(name, JSON.stringify(seen)), 'any');
}

export function readPace(app: App): Promise<RestorePace | undefined> {
  return readNote(app, PACE_NAME, paceSchema);
}

export function readSeen(app: App, hub: HubRef): Promise<SeenHub | undefined> {
  return readNote(app, seenName(hub), seenSchema);
}

/** A damaged note is no note: the card shows less, and the next restore writes it anew. */
async function readNote<T>(app: App, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const blob = await app.blobs.get(name);
  if (blob === undefined) return undefined;
  const source = { code: 'StoredDocumentInvalid', what: `note ${name}`, hint: 'The next restore mends it.' } as const;
  try {
    return parseWith(schema, parseJson(openDocument(name, blob.bytes), source), source);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    app.log.warn('note unreadable', { name, code: error.code });
    return undefined;
  }
}
