import { type App, type HeldStep, toInstant } from '../app.ts';

/** A step that can do nothing now comes again later. Unlike one that met a fault it may wait for as long as it says itself. */
export class Deferral extends Error {
  override readonly name = 'Deferral';
  readonly delayMs: number;
  /** What it waits for: on whom, under which code, and in plain words. */
  readonly awaited: { readonly on: string; readonly code: string; readonly cause: string };

  constructor(delayMs: number, awaited: Deferral['awaited']) {
    super(`It waits for ${awaited.on}: ${awaited.cause}.`);
    this.delayMs = delayMs;
    this.awaited = awaited;
  }
}

/** The wait of such a step: never one of those that end a run when they are too long together. */
export function waitOf({ world }: App, { wait: before }: HeldStep, { delayMs, awaited }: Deferral) {
  const isSame = before?.code === awaited.code;
  const since = isSame ? before.since : toInstant(world.storageNow());
  return { ...awaited, since, attempt: (isSame ? before.attempt : 0) + 1, delayMs, waitedMs: 0 };
}
