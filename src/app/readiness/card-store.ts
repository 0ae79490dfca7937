import { DrError, orFault } from '../../core/errors.ts';
import { cardName, isSameHub } from '../../core/paths.ts';
import { type ReadinessCard, type StorageRefusal, withRefusal, withRun } from '../../core/readiness/card.ts';
import { isOver } from '../../core/run/run.ts';
import { type App, type Change, orWarn, toInstant } from '../app.ts';
import { documents } from '../stored/documents.ts';

/** Steps of several hosts may note their runs at once. */
const MAX_TRIES = 5;
/** The card is a copy of what is stored elsewhere: failing to write it fails nothing else. */
const NOT_WRITTEN = 'readiness card not written';

/** The card is absent when there is none that can be used, the ETag when there is no blob. */
export async function readCard(app: App) {
  const name = cardName(app.primary.ref);
  const { value: card, etag } = await documents.readinessCard.tryFind(app, name, 'mayBeMissing');
  return { card: card !== undefined && isSameHub(card.secondary, app.secondary.ref) ? card : undefined, etag };
}

const refusedNow = (app: App, message: string): StorageRefusal => ({
  since: toInstant(app.world.storageNow()),
  message,
});

/** False when it changed since it was read with that ETag. */
export async function storeCard(app: App, card: ReadinessCard, etag: string | undefined): Promise<boolean> {
  const { memory } = app;
  const name = cardName(app.primary.ref);
  memory.lastCard = undefined;
  const stored = await orFault(documents.readinessCard.write(app, name, card, { etag }));
  if (stored instanceof DrError) {
    // A lease, or the archive tier, is of one blob.
    const isForAll = stored.code === 'StorageUnavailable' && stored.seen?.startsWith('Lease') !== true;
    memory.cardRefusal ??= { ...refusedNow(app, stored.message), isForAll };
    throw stored;
  }
  memory.cardRefusal = undefined;
  if (stored === 'conflict') return false;
  memory.lastCard = { name, card, etag: stored };
  return true;
}

/** Likewise, for those who have to answer whether it can be stored or not. */
export async function storeOrWarn(app: App, card: ReadinessCard, etag: string | undefined): Promise<boolean> {
  return (await orWarn(app, NOT_WRITTEN, {}, () => storeCard(app, card, etag))) ?? true;
}

/**
 * Listens to what is stored: the card shows a run that began or moved on. When one ended, a drill ended or a proof
 * came, more of the card has changed: the next reader judges again.
 */
export async function noteOnCard(app: App, change: Change): Promise<void> {
  await changeCard(app, (card) => {
    if (change.kind === 'refusal') {
      const { what, message } = change;
      return withRefusal(card, what, message === undefined ? undefined : refusedNow(app, message));
    }
    return change.kind === 'run' && !isOver(change.run) ? withRun(card, change.run) : { ...card, isExpired: true };
  });
}

/** Best effort: what changed is stored where it belongs, and the next look shows it, too. */
async function changeCard(app: App, change: (card: ReadinessCard) => ReadinessCard | undefined): Promise<void> {
  await orWarn(app, NOT_WRITTEN, {}, async () => {
    const { lastCard } = app.memory;
    let before = lastCard?.name === cardName(app.primary.ref) ? lastCard : await readCard(app);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const next = before.card === undefined ? undefined : change(before.card);
      if (next === undefined || (await storeCard(app, next, before.etag))) return;
      before = await readCard(app);
    }
    await app.blobs.remove(cardName(app.primary.ref));
  });
}
