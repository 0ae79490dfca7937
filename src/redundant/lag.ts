import type { Storage } from '../app/dual/intents.ts';
import { documents } from '../app/stored/documents.ts';
import { INTENTS_FOLDER } from '../core/paths.ts';
import type { Lag } from './options.ts';

export async function readLag(app: Storage): Promise<Lag> {
  const entries = await app.blobs.list(INTENTS_FOLDER);
  const oldest = entries.map(({ facts }) => facts['at'] ?? '').sort()[0];
  const refused: Lag['refused'][number][] = [];
  for (const { name, facts } of entries) {
    if (Number(facts['refused'] ?? 0) === 0) continue;
    const intent = (await documents.intent.find(app, name))?.value;
    if (intent === undefined) continue;
    refused.push({ ...intent.device, by: intent.refused.map(({ hub, status }) => ({ hub, status })) });
  }
  return { waiting: entries.length, oldestAt: oldest ? new Date(oldest) : undefined, refused };
}
