import { AUDIT_FOLDER, auditName, fullNameOf } from '../../core/paths.ts';
import type { Caller } from '../../core/request/caller.ts';
import { type App, orWarn, toInstant } from '../app.ts';
import { sha256Hex } from './codec.ts';
import { documents } from './documents.ts';

const KEEP_MS = 400 * 86_400_000;
const SHOWN_DIGITS = 12;

export interface AskedCall {
  /** Of the function, such as `startRestore`. */
  readonly what: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly caller: Caller;
}

/** What became of a call: its status, and the run or error code that it was answered with. */
export interface Answered {
  readonly status: number;
  readonly runId?: string | undefined;
  readonly code?: string | undefined;
}

/**
 * Does what changes something, with a record of who asked for it, stored before. Where that cannot be stored, nothing is
 * done: the storage that it needs is away.
 */
export async function audited<T>(
  app: App,
  { what, method, path, caller: { key, ...who } }: AskedCall,
  work: () => Promise<T>,
  answerOf: (result: { readonly value: T } | { readonly error: unknown }) => Answered,
): Promise<T> {
  await app.blobs.ensure();
  const at = toInstant(app.world.storageNow());
  const name = auditName(at, app.world.newSuffix());
  const record = { at, what, method, path, ...who, key: key === undefined ? undefined : keyHash(app, key) };
  await documents.audit.write(app, name, record, 'new');
  app.log.info('audit', record);
  const end = (answer: Answered): Promise<unknown> =>
    orWarn(app, 'audit record without its answer', { name }, () =>
      documents.audit.write(app, name, { ...record, answer }, 'any'),
    );
  try {
    const value = await work();
    await end(answerOf({ value }));
    return value;
  } catch (error) {
    await end(answerOf({ error }));
    throw error;
  }
}

/** Distinguishes keys and gives none away: they are random and long, and other pairs get other hashes. */
function keyHash({ primary, secondary }: App, key: string): string {
  const salt = [primary, secondary].map(({ ref }) => fullNameOf(ref)).join(' ');
  return sha256Hex(`${salt} ${key}`).slice(0, SHOWN_DIGITS);
}

/** Removes records that are older than a year. */
export async function pruneAudit(app: App): Promise<void> {
  const before = auditName(toInstant(app.world.storageNow() - KEEP_MS), '');
  const old = (await app.blobs.list(AUDIT_FOLDER)).filter(({ name }) => name < before);
  for (const { name } of old) await app.blobs.remove(name);
}
