import { liveFolder, runName } from '../../core/paths.ts';
import type { BlobEntry } from '../../core/ports.ts';
import { isLiving, type LiveStep, toLiveStep } from '../../core/run/live.ts';
import { describePhase, type Run } from '../../core/run/run.ts';
import { type Waiting, waitingOf } from '../../core/run/waiting.ts';
import type { App } from '../app.ts';
import { delayOf } from './dispatch.ts';

/** The run's steps that work or wait, and those that died at it: one listing. */
export async function readLive(app: App, { kind, id }: Pick<Run, 'kind' | 'id'>): Promise<readonly LiveStep[]> {
  return (await app.blobs.list(liveFolder(kind, id))).map(toLiveStep);
}

/** A step of the run's phase has been in hand. */
export function hasBegun({ phase }: Run, live: readonly LiveStep[]): boolean {
  return live.some((step) => step.phase === describePhase(phase));
}

/** The same from a listing of a restore's results, which holds it, too. */
export function liveIn(entries: readonly BlobEntry[], { kind, id }: Pick<Run, 'kind' | 'id'>): readonly LiveStep[] {
  return entries.filter(({ name }) => name.startsWith(liveFolder(kind, id))).map(toLiveStep);
}

/** The instant at which a step of the run last gave a sign of life, where one is in hand. */
function lastRenewalIn(live: readonly LiveStep[]): string | undefined {
  const newest = live.reduce((latest, { renewedAt }) => Math.max(latest, renewedAt.getTime()), 0);
  return newest === 0 ? undefined : new Date(newest).toISOString();
}

/** What a view shows of a run's steps; of one that is over, nothing. */
export interface Signs {
  readonly beatAt?: string | undefined;
  readonly waiting?: Waiting | undefined;
}

export function signsOf(app: App, live: readonly LiveStep[], savedMsAgo?: number): Signs {
  return { beatAt: lastRenewalIn(live), waiting: waitingOf(live, app.world.storageNow(), savedMsAgo) };
}

/** Milliseconds since the run's document was last written. */
export async function ageOfRun(app: App, { kind, id }: Pick<Run, 'kind' | 'id'>): Promise<number> {
  const [entry] = await app.blobs.list(runName(kind, id));
  return entry?.ageMs ?? 0;
}

/** How long nothing of the run moved: neither its document nor a step that works or waits. */
export async function silenceOf(app: App, run: Run): Promise<number> {
  const [sinceChange, live] = await Promise.all([ageOfRun(app, run), readLive(app, run)]);
  if (live.some(isLiving)) return 0;
  return Math.min(sinceChange - delayOf(run), ...live.map(({ ageMs }) => ageMs));
}
