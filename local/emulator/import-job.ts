import type { JobType } from './job.ts';
import { type Row, type RowContent, toRowContent } from './row.ts';
import { ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';
import { requireValidTags } from './tags.ts';
import { parseDescription } from './xml-in.ts';

/** What a job sees of its hub. */
export interface JobTarget {
  readonly switches: HubSwitches;
  readonly rows: ReadonlyMap<string, Row>;
  listed(): Iterable<Row>;
  createRegistration(content: RowContent): Row;
  putRegistration(id: string, content: RowContent, ifMatch?: string): Row;
  deleteRegistration(id: string, ifMatch?: string): void;
}

/** What became of one line: a line of `Output.txt`, and of `Failed.txt` where it failed. */
interface Imported {
  readonly output: string;
  readonly failed?: string;
}

const badFormat = 'BadRequest,Bad Format';

/** One registration a line; with the switch, one after another however they are broken into lines. */
export function importLines(text: string, { importReads }: HubSwitches): string[] {
  const bare = text.replace(/^\uFEFF/, '');
  const found = importReads === 'lines' ? bare.split(/\r?\n/) : bare.split(/(?<=<\/\w*RegistrationDescription>)\s*/);
  return found.filter((line) => line.trim() !== '');
}

/** Carries out one line; a fault of it is the line's, not the job's. */
export function importLine(hub: JobTarget, type: JobType, line: string, number: number): Imported {
  try {
    return { output: `${number},${writeLine(hub, type, line)}` };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const failure = `${number},${error.status === 400 ? badFormat : `${error.status},${error.message}`}`;
    return { output: failure, failed: failure };
  }
}

/** @throws ServiceError for a line that cannot be. */
function writeLine(hub: JobTarget, type: JobType, line: string): string {
  const { importRefusesExpiry, importRefusesReservedTags, importIds } = hub.switches;
  if (importRefusesExpiry && /<(\w+:)?ExpirationTime[\s/>]/.test(line)) throw new ServiceError(400, '');
  const description = parseDescription(line, hub.switches);
  const tags = importRefusesReservedTags ? description.tags : description.tags.filter((tag) => !tag.startsWith('$'));
  requireValidTags(tags);
  const id = textOf(line, 'RegistrationId');
  const etag = textOf(line, 'ETag') ?? '*';
  const content = toRowContent(description);
  if (type === 'ImportCreateRegistrations') {
    if (id !== undefined && importIds === 'refused') throw new ServiceError(400, '');
    if (id === undefined || importIds === 'replaced') return hub.createRegistration(content).id;
    if (hub.rows.has(id)) throw new ServiceError(409, 'Conflict');
    return hub.putRegistration(id, content).id;
  }
  if (id === undefined) throw new ServiceError(400, '');
  if (type === 'ImportDeleteRegistrations') {
    hub.deleteRegistration(id, etag);
    return id;
  }
  return hub.putRegistration(id, content, type === 'ImportUpdateRegistrations' ? etag : undefined).id;
}

function textOf(line: string, name: string): string | undefined {
  return new RegExp(`<(?:\\w+:)?${name}>([^<]+)<`).exec(line)?.[1];
}
