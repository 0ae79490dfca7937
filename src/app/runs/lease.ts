import { leaseName } from '../../core/paths.ts';
import {
  deferredFacts,
  isLiving,
  LEASE_MS,
  type LiveStep,
  leaseFacts,
  partOf,
  type StepPart,
  type StepWait,
  toLiveStep,
} from '../../core/run/live.ts';
import type { Run } from '../../core/run/run.ts';
import type { Step } from '../../core/run/step.ts';
import { type App, type HeldStep, orLog } from '../app.ts';
import { orLeave } from '../stored/refusals.ts';

const NOTHING = new Uint8Array();
const RENEW_EVERY_MS = 5000;
/** A renewal that is not answered for this long may be lost on its way: another one is sent. */
const RENEW_AGAIN_MS = 9000;
/** A step that hangs: this long after its time is up its lease is no longer renewed. */
const HANGS_AFTER_MS = 180_000;
/** Longer than any call without an answer: a step that still works then no longer waits for what it waited for. */
const ANSWERED_AFTER_MS = 45_000;
/** More of it does not count as waiting: meanwhile other steps may have moved on, or no host was there. */
const MOST_LATE_MS = 600_000;
/** A lease that ends just now is there when the put is refused and gone when it is looked at. */
const TRIES = 3;

/** `undefined` when the step lives already, or waits for a time that has not come: then its message has no use. */
export async function takeLease(app: App, step: Step): Promise<HeldStep | undefined> {
  const { taking, held } = app.memory;
  const name = leaseName(step);
  const other = held.get(name);
  if (taking.has(name) || (other !== undefined && !isHanging(app, other))) return undefined;
  if (other !== undefined) other.isLost = true;
  taking.add(name);
  try {
    return await take(app, step, name);
  } finally {
    taking.delete(name);
  }
}

async function take(app: App, step: Step, name: string): Promise<HeldStep | undefined> {
  const holder = holderOf(app);
  const put = async (wait?: StepWait, etag?: string): Promise<HeldStep | undefined> => {
    const condition = etag === undefined ? 'new' : { etag };
    const taken = await app.blobs.put(name, NOTHING, condition, leaseFacts(partOf(step), holder, 0, wait));
    return taken === 'conflict' ? undefined : hold(app, { step, name, wait, etag: taken });
  };
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const held = await put();
    if (held !== undefined) return held;
    const found = await findLease(app, name);
    if (found !== undefined) return isFree(app, step, found) ? put(waitUntilNow(found), found.etag) : undefined;
  }
  return undefined;
}

async function findLease(app: App, name: string): Promise<LiveStep | undefined> {
  const entry = (await app.blobs.list(name)).find((one) => one.name === name);
  return entry && toLiveStep(entry);
}

/** A message that is late has waited longer than it was to: one of many that wait for few places. */
function waitUntilNow({ kind, wait, ageMs }: LiveStep): StepWait | undefined {
  if (kind !== 'waiting' || wait === undefined) return wait;
  return { ...wait, waitedMs: wait.waitedMs + Math.min(MOST_LATE_MS, Math.max(0, ageMs - wait.delayMs)) };
}

function isFree({ memory: { processId } }: App, step: Step, found: LiveStep): boolean {
  if (!isLiving(found)) return true;
  if (found.kind === 'waiting') return step.attempt === found.wait.attempt;
  // One of ours that is not in hand: the answer to the put that took it was lost.
  return found.holder === processId;
}

/** Tells this process from others: drawn once. */
function holderOf({ memory, world }: App): string {
  memory.processId ??= world.newSuffix();
  return memory.processId;
}

function hold(app: App, given: Pick<HeldStep, 'step' | 'name' | 'wait' | 'etag'>): HeldStep {
  const { memory, world, policy } = app;
  const takenAtMs = world.now();
  const deadlineAt = takenAtMs + policy.stepBudgetMs;
  const renewal = { renewing: Promise.resolve(), isAnswered: true, renewingSinceMs: undefined, renewedAtMs: takenAtMs };
  const held: HeldStep = { ...given, takenAtMs, deadlineAt, isLost: false, wasLate: false, ...renewal };
  memory.held.set(given.name, held);
  // Not awaited: a lease whose renewal is not answered must not keep the others from being renewed.
  memory.stopRenewing ??= world.repeat(RENEW_EVERY_MS, async () => void renewAll(app));
  return held;
}

function drop({ memory }: App, held: HeldStep): void {
  if (memory.held.get(held.name) === held) memory.held.delete(held.name);
  if (memory.held.size > 0) return;
  memory.stopRenewing?.();
  memory.stopRenewing = undefined;
}

/** Renews what this process holds, whatever its steps are doing. */
export async function renewAll(app: App): Promise<void> {
  await Promise.all(
    [...app.memory.held.values()].map((held) => {
      const now = app.world.now();
      if (now - (held.renewingSinceMs ?? Number.NEGATIVE_INFINITY) < RENEW_AGAIN_MS) return undefined;
      held.renewingSinceMs = now;
      held.renewing = orLog(app, 'lease not renewed', { runId: held.step.runId }, () => renew(app, held)).then(() => {
        if (held.renewingSinceMs === now) held.renewingSinceMs = undefined;
      });
      return held.renewing;
    }),
  );
}

/** Whether another process may have taken it over: it was not renewed for so long. */
export function mayBeLost({ world }: App, { isLost, renewedAtMs }: Pick<HeldStep, 'isLost' | 'renewedAtMs'>): boolean {
  return isLost || world.now() - renewedAtMs >= LEASE_MS;
}

/** The watch may have taken the step for lost and enqueued it, and will if it has not. */
export function hadLapsed(app: App, held: HeldStep): boolean {
  return held.wasLate || mayBeLost(app, held);
}

function isHanging({ world }: App, { deadlineAt }: HeldStep): boolean {
  return world.now() > deadlineAt + HANGS_AFTER_MS;
}

/** This process does it, though it may have been frozen, and has not renewed its lease since. */
export function isInHand(app: App, name: string): boolean {
  const held = app.memory.held.get(name);
  return held !== undefined && !held.isLost && !isHanging(app, held);
}

/** What this process does of a run, also between two leases: it has taken the message, or is about to send the next one. */
export function partsInHand({ memory, world, policy }: App, { kind, id }: Pick<Run, 'kind' | 'id'>): StepPart[] {
  const deliveredSince = world.now() - policy.stepBudgetMs - HANGS_AFTER_MS;
  return [...memory.stepsInHand]
    .filter(([step, atMs]) => step.kind === kind && step.runId === id && atMs >= deliveredSince)
    .map(([step]) => partOf(step));
}

async function renew(app: App, held: HeldStep): Promise<void> {
  const { step, name } = held;
  const now = app.world.now();
  const wait = now - held.takenAtMs > ANSWERED_AFTER_MS ? undefined : held.wait;
  if (isHanging(app, held)) return;
  const facts = leaseFacts(partOf(step), holderOf(app), now - held.takenAtMs, wait);
  held.isAnswered = false;
  const renewed = await app.blobs.put(name, NOTHING, { etag: held.etag }, facts);
  const etag = renewed === 'conflict' ? await findOwn(app, name) : renewed;
  held.isAnswered = true;
  if (etag !== undefined) {
    held.etag = etag;
    held.wasLate ||= mayBeLost(app, held);
    held.renewedAtMs = now;
    return;
  }
  held.isLost = true;
  drop(app, held);
  app.backgroundLog.warn('lease lost', { runId: step.runId, ...partOf(step) });
}

/** The answer to the renewal before may have been lost. */
async function findOwn(app: App, name: string): Promise<string | undefined> {
  const found = await findLease(app, name);
  return found?.kind === 'working' && found.holder === app.memory.processId ? found.etag : undefined;
}

/** Of a lease that was dropped, unless this process has taken the step again since. */
async function etagOf(app: App, held: HeldStep): Promise<string> {
  await held.renewing;
  const found = held.isAnswered || held.isLost ? undefined : await findOwn(app, held.name);
  const { held: all, taking } = app.memory;
  return found === undefined || all.has(held.name) || taking.has(held.name) ? held.etag : found;
}

/** Ends a lease, and with it what was known of the step's waits: it is done, or continues. */
export async function releaseLease(app: App, held: HeldStep): Promise<void> {
  drop(app, held);
  const etag = await etagOf(app, held);
  if (!held.isLost) await orLeave(app, () => app.blobs.remove(held.name, etag));
}

/** For a host that stops: another may take its steps at once. */
export async function giveUpLeases(app: App): Promise<void> {
  await Promise.all([...app.memory.held.values()].map((held) => releaseLease(app, held)));
}

/** The step comes again later: `false` when another process has taken it over. */
export async function storeWait(app: App, held: HeldStep, wait: StepWait): Promise<boolean> {
  drop(app, held);
  const etag = await etagOf(app, held);
  const facts = deferredFacts(partOf(held.step), holderOf(app), wait);
  const stored = held.isLost ? 'conflict' : await app.blobs.put(held.name, NOTHING, { etag }, facts);
  if (stored === 'conflict') return false;
  held.etag = stored;
  return true;
}
