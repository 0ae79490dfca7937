import type { Method } from './client.ts';
import type { Context } from './context.ts';
import { exitCodes, Fault, isFault } from './errors.ts';
import { inCommands } from './in-commands.ts';
import { type Json, listAt, textAt } from './json.ts';
import { createProgress } from './progress.ts';
import { retryWhileAway } from './retry-while-away.ts';
import { exitCodeOf, headline, isOver, nounOf, summarize, warningLabel } from './summary.ts';
import { say } from './terminal.ts';
import { tool } from './tool.ts';

export const collections = ['restores', 'backups', 'verifications', 'drills'] as const;
export type Collection = (typeof collections)[number];

/** The call that starts a run. A `PUT` names the run's id and may be repeated. */
export interface Start {
  readonly collection: Collection;
  readonly method?: Method;
  readonly path: string;
  readonly body?: unknown;
}

const POLL_MS = 1000;

/** Starts a run. Shows it and returns, or stays until it is over when it is watched. */
export async function startRun(context: Context, start: Start, isWatched = false): Promise<number> {
  const { client, terminal } = context;
  const { collection, method = 'POST', path, body } = start;
  const call = () => client.call(method, path, body);
  if (!isWatched) {
    const view = await call();
    if (isOver(view)) say(terminal, describeStart(view));
    context.show(view, summarize(withWatch(view), terminal.resultColumns()), `${headline(view)}\n`);
    return exitCodes.done;
  }
  const view = await retryWhileAway(terminal, method === 'PUT' ? 'repeatable' : 'once', call);
  say(terminal, describeStart(view));
  // Known before anything is written, while it can be cancelled.
  if (!isOver(view)) {
    for (const warning of listAt(view, 'warnings')) {
      say(terminal, `${warningLabel(warning)} ${inCommands(String(warning))}`);
    }
  }
  return watchRun(context, collection, textAt(view, 'id') ?? '');
}

/** A run that is over in the answer to its start was there before, under the id that was asked for. */
function describeStart(view: Json): string {
  const name = `${nounOf(view)} ${textAt(view, 'id') ?? ''}`;
  if (!isOver(view)) return `${name} started.`;
  const endedAt = textAt(view, 'finishedAt') ?? 'an unknown time';
  return `${name} exists already: it ended at ${endedAt}. Nothing was started now. For a new one choose another --id.`;
}

/** Watches a run to its end; gives the exit code. */
export async function watchRun(context: Context, collection: Collection, id: string): Promise<number> {
  const progress = createProgress(context.terminal);
  let noun = collection.slice(0, -1);
  try {
    let view = await readRun(context, collection, id);
    noun = nounOf(view).toLowerCase();
    for (; !isOver(view); view = await readRun(context, collection, id)) {
      progress.show(view);
      await context.terminal.sleep(POLL_MS);
    }
    progress.end();
    const text = summarize(view, context.terminal.resultColumns(), await readAmount(context, view));
    context.show(view, text, `${headline(view)}\n`);
    return exitCodeOf(view);
  } catch (error) {
    progress.end();
    if (!isFault(error, 'interrupted')) throw error;
    const advice = `To watch it again: ${tool} watch ${id}`;
    throw new Fault('interrupted', `The ${noun} is still running. ${advice}`);
  }
}

/** What the snapshot of a restore holds. Only beside its counts: where it cannot be read, they say enough. */
async function readAmount({ client, isJson }: Context, view: Json): Promise<string | undefined> {
  const id = textAt(view, 'snapshot', 'id');
  if (isJson || id === undefined || textAt(view, 'kind') !== 'restore') return undefined;
  return textAt(await client.call('GET', pathOf('snapshots', id)).catch(() => ({})), 'amount');
}

/** Of one run or snapshot in the API. */
export function pathOf(collection: Collection | 'snapshots' | 'feedback', id: string): string {
  return `/api/${collection}/${encodeURIComponent(id)}`;
}

export function readRun({ client, terminal }: Context, collection: Collection, id: string): Promise<Json> {
  return retryWhileAway(terminal, 'read', () => client.call('GET', pathOf(collection, id)));
}

/** Only views of restores name their next actions. */
function withWatch(view: Json): Json {
  return isOver(view) || 'nextActions' in view
    ? view
    : { ...view, nextActions: [{ command: `watch ${textAt(view, 'id')}` }] };
}
