import { AUDIT_FOLDER, auditKeyOf, auditName, fullNameOf } from '../../core/paths.ts';
import type { Caller } from '../../core/request/caller.ts';
import { type App, orWarn, toInstant } from '../app.ts';
import { sha256Hex } from './codec.ts';
import { mapConcurrent } from './concurrent.ts';
import { documents } from './documents.ts';
import { removeBefore } from './remove-all.ts';

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

const LISTED = 50;
const READERS = 16;

/**
 * Records of calls that changed something, or tried to: the newest first, 50 at once. `from` is the `next` of the page
 * before. Of a record that cannot be read only its time is known; it is listed, since it hides what was done.
 */
export async function listAudit(app: App, from?: string) {
  const names = (await app.blobs.list(AUDIT_FOLDER)).map(({ name }) => name);
  const left = names.filter((name) => from === undefined || auditKeyOf(name) < from);
  const page = left.slice(-LISTED).toReversed();
  const value = await mapConcurrent(page, READERS, async (name) => {
    const id = auditKeyOf(name);
    const found = await documents.audit.look(app, name);
    if (found === undefined) return undefined;
    if ('value' in found) return { id, ...found.value };
    return { id, error: { code: found.fault.code, message: found.fault.message } };
  });
  // Retention removes some while they are read.
  const there = value.filter((one) => one !== undefined);
  return { value: there, next: left.length > LISTED ? auditKeyOf(page.at(-1) ?? '') : undefined };
}

/** Removes records that are older than a year. */
export async function pruneAudit(app: App): Promise<void> {
  const before = auditName(toInstant(app.world.storageNow() - KEEP_MS), '');
  await removeBefore(app, AUDIT_FOLDER, before);
}
