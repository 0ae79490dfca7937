import { DrError, orFault } from '../../core/errors.ts';
import { isSameHub, type RunKind, runFolder, runName, runsFolder, stagingFolder } from '../../core/paths.ts';
import type { HubRef } from '../../core/ports.ts';
import { isRunId, newRunId, type RestoreRun, type Run, type RunOf, startOfRunId } from '../../core/run/run.ts';
import { type App, emit, isNews } from '../app.ts';
import { mapConcurrent } from '../stored/concurrent.ts';
import type { Found } from '../stored/document.ts';
import { documents } from '../stored/documents.ts';
import { removeAll } from '../stored/remove-all.ts';

/** A step that finds its run over, or its checkpoint moved on by a twin, stops without a trace. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/** Run documents read at once. */
const READERS = 16;

/** `undefined` when there is none. */
export async function readRun<Kind extends RunKind>(
  app: App,
  kind: Kind,
  runId: string,
): Promise<RunOf<Kind> | undefined> {
  return (await readStored(app, kind, runId))?.value;
}

async function readStored<Kind extends RunKind>(
  app: App,
  kind: Kind,
  runId: string,
): Promise<Found<RunOf<Kind>> | undefined> {
  // Ids come from addresses and messages: one that is no id must not become the name of a blob.
  if (!isRunId(runId)) return undefined;
  const name = runName(kind, runId);
  const found = await documents.run.find(app, name);
  if (found === undefined) return undefined;
  const { value: run } = found;
  if (!isOfPair(app, run)) return undefined;
  if (run.id === runId && isOfKind(run, kind)) return { ...found, value: run };
  throw documents.run.invalid(name, 'is that of another run');
}

/** Earlier versions stored the runs of all pairs in one place. */
function isOfPair({ primary, secondary }: App, run: Run): boolean {
  const isOwn = (hub: HubRef): boolean => isSameHub(hub, primary.ref) || isSameHub(hub, secondary.ref);
  if (run.kind !== 'restore') return isOwn(run.hub);
  return isOwn(run.request.sourceHub) && (run.request.target === 'drill' || isOwn(run.hub));
}

function isOfKind<Kind extends RunKind>(run: Run, kind: Kind): run is RunOf<Kind> {
  return run.kind === kind;
}

/** Throws `RunNotFound`. */
export async function findRun<Kind extends RunKind>(app: App, kind: Kind, runId: string): Promise<RunOf<Kind>> {
  const run = await readRun(app, kind, runId);
  if (run === undefined) throw runNotFound(kind, runId);
  return run;
}

/** False when the id is taken. */
export async function createRun(app: App, run: Run): Promise<boolean> {
  if ((await documents.run.write(app, runName(run.kind, run.id), run, 'new')) === 'conflict') return false;
  await emit(app, { kind: 'run', run });
  return true;
}

/**
 * Changes a run by compare-and-swap until it holds. `change` may be called several times and gives `undefined` to
 * leave the run as it is. The answer is the run as stored afterwards.
 */
export async function changeRun<Kind extends RunKind>(
  app: App,
  kind: Kind,
  runId: string,
  change: (run: RunOf<Kind>) => RunOf<Kind> | undefined,
): Promise<RunOf<Kind>> {
  const name = runName(kind, runId);
  for (;;) {
    const stored = await readStored(app, kind, runId);
    if (stored === undefined) throw runNotFound(kind, runId);
    const next = change(stored.value);
    if (next === undefined) return stored.value;
    const etag = await documents.run.write(app, name, next, { etag: stored.etag });
    if (etag === 'conflict') continue;
    await emit(app, { kind: 'run', run: next });
    return next;
  }
}

function runNotFound(kind: RunKind, runId: string): DrError {
  const message = `There is no ${kind} '${runId}'. List those there are: notification-hubs-dr ${kind}s`;
  return new DrError('RunNotFound', message, { target: runId });
}

/** One page of all runs, newest first. `next` is the `from` of the next page. */
export async function listRunsBefore<Kind extends RunKind>(app: App, kind: Kind, size: number, from?: string) {
  return readPage(await listRunIds(app, kind), { size, from }, async (runId) => {
    const run = await readHolder(app, kind, runId);
    return typeof run === 'object' ? run : undefined;
  });
}

interface Page {
  readonly size: number;
  readonly from: string | undefined;
}

/**
 * One page of what has these ids, newest first by the ids: an id and its `createdAt` may be of two clocks, and one order
 * shows each run once. Documents that cannot be read are skipped.
 */
export async function readPage<T extends { readonly id: string; readonly createdAt: string }>(
  ids: readonly string[],
  { size, from }: Page,
  read: (id: string) => Promise<T | undefined>,
) {
  const isBefore = (key: string): boolean => from === undefined || key < from;
  const readSome = async (some: readonly string[]) =>
    (await mapConcurrent(some, READERS, read)).flatMap((one) =>
      one !== undefined && isBefore(pageKeyOf(one)) ? [one] : [],
    );
  const found = await readSome(ids.filter((id) => !isDated(id)));
  let dated = ids.filter((id) => isDated(id) && isBefore(id));
  // One more than the page holds shows whether another page follows.
  for (let missing = size + 1; missing > 0 && dated.length > 0; ) {
    const some = await readSome(dated.slice(-missing));
    dated = dated.slice(0, -missing);
    missing -= some.length;
    found.push(...some);
  }
  const list = found.sort((a, b) => (pageKeyOf(a) < pageKeyOf(b) ? 1 : -1));
  const value = list.slice(0, size);
  const last = list.length > size ? value.at(-1) : undefined;
  return { value, next: last === undefined ? undefined : pageKeyOf(last) };
}

/** A caller's own id takes its place among the dated ones by when its run began. */
function pageKeyOf({ id, createdAt }: { readonly id: string; readonly createdAt: string }): string {
  return isDated(id) ? id : newRunId(Date.parse(createdAt), id);
}

/** Ids made here sort by time; a caller's own ids sort anywhere, and so all of those are read. */
function isDated(id: string): boolean {
  return startOfRunId(id) !== undefined;
}

export async function listRunIds(app: App, kind: RunKind): Promise<string[]> {
  const folder = runsFolder(kind);
  return (await app.blobs.listFolders(folder)).map((name) => name.slice(folder.length, -1));
}

/** Newest first, at most `limit`. Runs whose document cannot be read are left out, with a warning in the log. */
export async function listRuns<Kind extends RunKind>(
  app: App,
  kind: Kind,
  limit: number,
  isWanted: (runId: string) => boolean = () => true,
): Promise<RunOf<Kind>[]> {
  const ids = (await listRunIds(app, kind)).filter(isWanted);
  const candidates = [...ids.filter(isDated).slice(-limit), ...ids.filter((id) => !isDated(id))];
  const runs = await mapConcurrent(candidates, READERS, (runId) => readHolder(app, kind, runId));
  const readable = runs.filter((run) => typeof run === 'object');
  return readable.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, limit);
}

/** The newest restores that are no dry runs, newest first, at most `limit`: dry runs may be any number. */
export async function listWritingRestores(
  app: App,
  limit: number,
  isWanted: (runId: string) => boolean,
): Promise<RestoreRun[]> {
  const ids = (await listRunIds(app, 'restore')).filter(isWanted);
  const { value } = await readPage(ids, { size: limit, from: undefined }, async (runId) => {
    const run = await readHolder(app, 'restore', runId);
    return typeof run === 'object' && !run.request.dryRun ? run : undefined;
  });
  return value;
}

/** The run a lock names, or why its document cannot be used: damage to one run must not stop the others. */
export async function readHolder<Kind extends RunKind>(
  app: App,
  kind: Kind,
  runId: string,
): Promise<RunOf<Kind> | 'missing' | 'unreadable'> {
  const run = await orFault(readRun(app, kind, runId));
  const isUnreadable = run instanceof DrError;
  const isNew = isNews(app, `run ${runId}`, isUnreadable ? run : undefined);
  if (!isUnreadable) return run ?? 'missing';
  if (isNew) app.log.error('run document unreadable', { runId, code: run.code });
  return 'unreadable';
}

/** Removes what the run staged: listings hold device handles, and are not needed once it is over. */
export async function removeStaging(app: App, run: Run): Promise<void> {
  await removeAll(app, stagingFolder(run.kind, run.id));
}

export async function removeRun(app: App, run: Run): Promise<void> {
  // The run document goes last: what is left of a removal cut short is found by it.
  await removeAll(app, runFolder(run.kind, run.id), [runName(run.kind, run.id)]);
}
