import type { Storage } from '../app/dual/intents.ts';
import { documents } from '../app/stored/documents.ts';
import { readIntentFacts } from '../core/dual/intent.ts';
import { INTENTS_FOLDER } from '../core/paths.ts';
import type { Lag } from './options.ts';

export async function readLag(app: Storage): Promise<Lag> {
  const entries = await app.blobs.list(INTENTS_FOLDER);
  const { oldestAt, refused: refusedEntries } = readIntentFacts(entries);
  const refused: Lag['refused'][number][] = [];
  for (const { name } of refusedEntries) {
    const intent = (await documents.intent.find(app, name))?.value;
    if (intent === undefined) continue;
    refused.push({ ...intent.device, by: intent.refused.map(({ hub, status }) => ({ hub, status })) });
  }
  return { waiting: entries.length, oldestAt: oldestAt === undefined ? undefined : new Date(oldestAt), refused };
}
