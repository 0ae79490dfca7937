import type { App } from '../../src/app/app.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { findRun } from '../../src/app/runs/store.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watchRuns } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import type { RunKind } from '../../src/core/paths.ts';
import { canonicalRow } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { isOver, type Run } from '../../src/core/run/run.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { createEngine, type Engine, type EngineOptions } from './engine.ts';
import { anAppleRow, anInstallation } from './rows.ts';

/** As in host.json: after this many failures a message is poisoned. */
const MAX_DEQUEUE_COUNT = 5;
/** More watchdog ticks than any run may need to end, one way or the other. */
const MAX_TICKS = 60;

/** Half installations `device-0`, `device-2`, … with two rows each, half plain registrations `19-5-1`, `39-5-1`, … */
export function seed(engine: Engine, amount = 24): void {
  for (let index = 0; index < amount; index++) {
    const id = `${index}9-5-1`;
    const rows: readonly (readonly [string, string])[] =
      index % 2 === 0
        ? anInstallation(`device-${index}`, { tags: ['news', `n${index}`] })
        : [[id, anAppleRow({ id, tags: ['plain', `n${index}`] })]];
    for (const [rowId, xml] of rows) engine.primary.rows.set(rowId, xml);
  }
}

/** What devices would notice of a hub, in an order of its own. */
export function contentOf(hub: { readonly rows: ReadonlyMap<string, string> }): string[] {
  return [...hub.rows.values()].map(canonicalRow).sort();
}

/** Delivers until the queue is empty, as the host does: what throws comes again, and is poisoned at last. */
export async function deliverAsHost(
  engine: Engine,
  deliver: (text: string) => Promise<void> = async (text) => runStep(engine.app, parseStep(JSON.parse(text))),
  onMessage: () => void = () => {},
): Promise<{ readonly poisoned: readonly string[] }> {
  const failures = new Map<string, number>();
  const poisoned: string[] = [];
  for (let nextAt = engine.queue.nextAt(); nextAt !== undefined; nextAt = engine.queue.nextAt()) {
    engine.advance(Math.max(0, nextAt - engine.app.world.now()));
    onMessage();
    for (const text of engine.queue.take(1)) {
      const isDelivered = await deliver(text).then(
        () => true,
        () => false,
      );
      if (isDelivered) continue;
      const count = (failures.get(text) ?? 0) + 1;
      failures.set(text, count);
      if (count < MAX_DEQUEUE_COUNT) await engine.queue.putBack([text], 10);
      else poisoned.push(text);
    }
  }
  return { poisoned };
}

/** Host and watchdog together until the run is over. Throws what reading the run throws, and when it never ends. */
export async function runToEnd(
  engine: Engine,
  kind: RunKind,
  runId: string,
  deliver?: (text: string) => Promise<void>,
  onMessage?: () => void,
): Promise<Run> {
  for (let tick = 0; tick < MAX_TICKS; tick++) {
    await deliverAsHost(engine, deliver, onMessage);
    const run = await findRun(engine.app, kind, runId);
    if (isOver(run)) return run;
    engine.advance(60_000);
    await watchRuns(engine.app);
  }
  throw new Error(`The ${kind} hangs.`);
}

/** A finished backup's id, a minute later than whatever was before. */
export async function backUp(engine: Engine): Promise<string> {
  engine.advance(60_000);
  const { id } = await startBackup(engine.app, 'timer');
  const run = await runToEnd(engine, 'backup', id);
  if (run.status !== 'Succeeded') throw new Error(`The backup ended ${run.status}.`);
  return id;
}

/** By what was asked for: engines that no test touches. */
const begun = new Map<string, Promise<unknown>>();

/** What `prepare` gives, which is made once for all that ask with the same key; each gets a fork of its engine. */
export async function begunWith<T extends { readonly engine: Engine }>(
  key: readonly unknown[],
  prepare: () => Promise<T>,
): Promise<T> {
  const name = JSON.stringify(key);
  const known = begun.get(name) as Promise<T> | undefined;
  const first = known ?? prepare();
  begun.set(name, first);
  const { engine, ...others } = await first;
  return { ...others, engine: engine.fork() } as T;
}

type Beginning = EngineOptions & { readonly refusesForeignIds?: boolean };

/** An engine with as many devices, backed up. */
export async function aBackedUp(
  devices?: number,
  { refusesForeignIds = false, ...options }: Beginning = {},
): Promise<Engine> {
  const prepare = async () => {
    const engine = createEngine(options);
    engine.secondary.refusesForeignIds = refusesForeignIds;
    seed(engine, devices);
    await backUp(engine);
    return { engine };
  };
  // What lies between the engine and its parts sees the backup, too.
  const isPlain = options.wrap === undefined;
  return (await (isPlain ? begunWith(['backed up', devices, refusesForeignIds, options], prepare) : prepare())).engine;
}

/** The same, and restored once: both hubs hold the devices. */
export async function aRehearsed(devices?: number, options: Omit<Beginning, 'wrap'> = {}): Promise<Engine> {
  const { engine } = await begunWith(['rehearsed', devices, options], async () => {
    const first = await aBackedUp(devices, options);
    await restore(first);
    return { engine: first };
  });
  return engine;
}

export async function beginRestore(app: App, body: object = {}): Promise<string> {
  return (await startRestore(app, parseRestoreRequest(JSON.stringify(body)))).run.id;
}

/** The view of a restore that was asked for with this body, when it is over. */
export async function restore(engine: Engine, body: object = {}) {
  const runId = await beginRestore(engine.app, body);
  await engine.drain();
  return readRestoreView(engine.app, runId);
}

/** The error's code, or `none`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return 'none';
  return error instanceof DrError ? error.code : String(error);
}

/** Does a restore's steps until some of its writing is done. */
export async function runUntilWritten({ app, queue, advance }: Engine): Promise<void> {
  for (let isWritten = false; !isWritten; ) {
    advance(Math.max(0, (queue.nextAt() ?? 0) - app.world.now()));
    for (const text of queue.take()) {
      const step = parseStep(JSON.parse(text));
      await runStep(app, step);
      isWritten ||= step.phase === 'reconcile';
    }
  }
}
