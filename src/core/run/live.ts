import type { BlobEntry, BlobFacts } from '../ports.ts';
import { describePhase, type PhaseKey } from './run.ts';
import type { Step } from './step.ts';

/**
 * A step in hand has a blob while it lives: its lease, renewed by the process that does it. When the step has to wait for
 * a service, the same blob says so until the step comes again. All of it is facts, so that one listing tells how a run is,
 * and ages are the storage's own: no two hosts' clocks are compared.
 */
export type LiveStep = StepPart & {
  readonly name: string;
  readonly etag: string;
  readonly ageMs: number;
  readonly renewedAt: Date;
  /** How long its process had worked at it when this was last written. Overwriting a blob may renew its creation time. */
  readonly livedMs: number;
  /** The process that holds it, or did last. */
  readonly holder: string;
  /** What it waits for; of a step that works, what it waited for before, without any progress since. */
  readonly wait: StepWait | undefined;
} & ({ readonly kind: 'working' } | { readonly kind: 'waiting'; readonly wait: StepWait });

/** Which part of its run a step does. */
export interface StepPart {
  /** As `describePhase` says it. */
  readonly phase: string;
  readonly shard: number;
  readonly span: number;
}

export interface StepWait {
  /** `{namespace}/{hub}`, or `storage`. */
  readonly on: string;
  /** Of the error. */
  readonly code: string;
  /** What was last seen, in plain words. */
  readonly cause: string;
  /** Since when there is no progress: an instant by the storage's clock, for display only. */
  readonly since: string;
  /** How often it was deferred. */
  readonly attempt: number;
  /** When it comes again, in milliseconds from when this was stored. */
  readonly delayMs: number;
  /** In all, since the last progress. */
  readonly waitedMs: number;
}

/** A lease that is not renewed for this long is over. */
export const LEASE_MS = 20_000;
/** A process renews its leases each 5 seconds, by whole seconds of the storage: one that has not for so long is dead or cut off. */
const SILENT_MS = 6000;
/** No step waits longer before it tries again, whatever its hub asks for, or a damaged blob says. */
export const MAX_DELAY_MS = 60 * 60_000;
/** A waiting step that has not come this long after its time, and is not queued either, is lost. */
const OVERDUE_MS = 10_000;

export function partOf({ shard = 0, span = 1, ...step }: Step): StepPart {
  return { phase: phaseOf(step), shard, span };
}

function phaseOf({ phase: name, pass, wave }: Pick<Step, 'phase' | 'pass' | 'wave'>): string {
  const key: PhaseKey = { name, pass, wave };
  return describePhase(key);
}

/** Not over: a lease that is renewed, or a wait whose time has not passed. */
export function isLiving(step: LiveStep): boolean {
  if (step.kind === 'working') return step.ageMs < LEASE_MS;
  return step.ageMs < step.wait.delayMs + OVERDUE_MS;
}

/** In hand of a process that is alive, as far as its last renewal tells. */
export function isRenewed(step: LiveStep): boolean {
  return step.kind === 'working' && step.ageMs < SILENT_MS;
}

export function leaseFacts(
  { phase, shard, span }: StepPart,
  holder: string,
  livedMs: number,
  wait: StepWait | undefined,
): BlobFacts {
  const part = { phase, shard: String(shard), span: String(span) };
  return { ...part, holder, lived_ms: String(livedMs), ...(wait && waitFacts(wait)) };
}

/** The same, of a step that comes again later. */
export function deferredFacts(part: StepPart, holder: string, wait: StepWait): BlobFacts {
  return { ...leaseFacts(part, holder, 0, wait), waits: '1' };
}

function waitFacts({ on, code, cause, since, attempt, delayMs, waitedMs }: StepWait): BlobFacts {
  return {
    on,
    code,
    cause,
    since,
    attempt: String(attempt),
    delay_ms: String(delayMs),
    waited_ms: String(waitedMs),
  };
}

export function toLiveStep({ name, facts, etag, ageMs, modifiedAt }: BlobEntry): LiveStep {
  const wait = toWait(facts);
  const common = {
    name,
    etag,
    ageMs,
    renewedAt: modifiedAt,
    livedMs: numberIn(facts, 'lived_ms'),
    phase: facts['phase'] ?? '',
    shard: numberIn(facts, 'shard'),
    span: numberIn(facts, 'span'),
    holder: facts['holder'] ?? '',
  };
  if (wait === undefined || facts['waits'] !== '1') return { ...common, kind: 'working', wait };
  return { ...common, kind: 'waiting', wait };
}

function toWait(facts: BlobFacts): StepWait | undefined {
  const { on, code, cause, since } = facts;
  if (on === undefined || code === undefined || cause === undefined || since === undefined) return undefined;
  const delayMs = Math.min(MAX_DELAY_MS, numberIn(facts, 'delay_ms'));
  const [attempt, waitedMs] = [numberIn(facts, 'attempt'), numberIn(facts, 'waited_ms')];
  return { on, code, cause, since, attempt, delayMs, waitedMs };
}

function numberIn(facts: BlobFacts, name: string): number {
  const number = Number(facts[name] ?? 0);
  return Number.isFinite(number) ? number : 0;
}
