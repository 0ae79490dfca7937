import { z } from 'zod';
import { CALL_MS, confirmedIn, readIntentFacts } from '../../core/dual/intent.ts';
import { parseWith } from '../../core/parse.ts';
import { fullNameOf, INTENTS_FOLDER, LAGS_FOLDER, lagName } from '../../core/paths.ts';
import type { BlobEntry, HubRef } from '../../core/ports.ts';
import { type App, toInstant } from '../app.ts';
import { readRoles } from '../runs/roles.ts';
import { forEachConcurrent } from '../stored/concurrent.ts';
import { documents } from '../stored/documents.ts';
import { collectConfirmations } from './confirmed.ts';
import { repairIntent } from './repair.ts';

const stepSchema = z.strictObject({
  formatVersion: z.literal(1),
  kind: z.literal('dualWrites'),
  folder: z.string().regex(/^[0-9a-f]$/),
});

/** One queue message: the intents of one folder. */
export type DualStep = Readonly<z.infer<typeof stepSchema>>;

export function parseDualStep(message: unknown): DualStep {
  return parseWith(stepSchema, message, {
    code: 'StoredDocumentInvalid',
    what: 'queue message',
    hint: 'It was not written by this version of the app; nothing is lost, the watchdog enqueues what is due.',
  });
}

/** Enqueues each folder in which something waits, or did. The queue may be lost: what waits is what is stored. */
export async function enqueueRepairs({ blobs, queue }: App): Promise<void> {
  const [folders, lags] = await Promise.all([blobs.listFolders(INTENTS_FOLDER), blobs.list(LAGS_FOLDER)]);
  const digits = new Set([
    ...folders.map((folder) => folder.slice(INTENTS_FOLDER.length, -1)),
    ...lags.map(({ name }) => name.slice(LAGS_FOLDER.length, -'.json'.length)),
  ]);
  if (digits.size === 0) return;
  const queued = new Set(await queue.peek('writes'));
  const due = [...digits].sort().map((folder) => JSON.stringify({ formatVersion: 1, kind: 'dualWrites', folder }));
  await queue.send(
    'writes',
    due.filter((text) => !queued.has(text)),
  );
}

/** Brings what waits in a folder to both hubs, and notes what is left. A hub that does not answer is not asked again. */
export async function repairFolder(app: App, { folder }: DualStep): Promise<void> {
  const { world, policy } = app;
  const deadlineAt = world.now() + policy.stepBudgetMs;
  const prefix = `${INTENTS_FOLDER}${folder}/`;
  const { role } = await readRoles(app);
  const away = new Set<string>();
  const confirmations = collectConfirmations(app);
  const hubs = [app.primary, app.secondary];
  const repair = {
    ...app,
    hubs,
    active: role.active,
    isAway: (ref: HubRef) => away.has(fullNameOf(ref)),
    onConfirmed: confirmations.add,
  };
  const isDue = ({ ageMs }: BlobEntry): boolean => ageMs >= CALL_MS;
  const lacksOnlyAway = ({ facts }: BlobEntry): boolean => {
    const confirmed = confirmedIn(facts);
    return hubs.map(({ ref }) => fullNameOf(ref)).every((hub) => confirmed.includes(hub) || away.has(hub));
  };
  const entries = (await app.blobs.list(prefix)).filter(isDue);
  await forEachConcurrent(entries, policy.maxConcurrency, async (entry) => {
    if (world.now() >= deadlineAt || lacksOnlyAway(entry)) return;
    const repaired = await repairIntent(repair, entry.name);
    if (typeof repaired === 'object') away.add(fullNameOf(repaired.away));
  });
  await confirmations.flush();
  await noteLag(app, folder, prefix);
}

async function noteLag(app: App, folder: string, prefix: string): Promise<void> {
  const left = await app.blobs.list(prefix);
  if (left.length === 0) return app.blobs.remove(lagName(folder));
  const read = readIntentFacts(left);
  const { oldestAt } = read;
  const refused = read.refused.length;
  const at = toInstant(app.world.storageNow());
  const lag = { waiting: left.length - refused, refused, at, ...(oldestAt ? { oldestAt } : {}) };
  const facts = { waiting: String(lag.waiting), refused: String(refused), ...(oldestAt ? { oldest: oldestAt } : {}) };
  await documents.lag.write(app, lagName(folder), lag, 'any', facts);
}
