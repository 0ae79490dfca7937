import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { exchangeSessions } from '../fixtures/exchanges/index.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const headers = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** An exchange of the service, a request of its SDK, or a fixture of another SDK: some of it may be missing. */
const recordingSchema = z.object({
  method: text,
  path: text,
  status: z
    .number()
    .nullish()
    .transform((value) => value ?? undefined),
  requestHeaders: headers,
  requestBody: text.transform((value) => value ?? ''),
  responseHeaders: headers,
  responseBody: text.transform((value) => value ?? ''),
});

export interface Recording extends z.infer<typeof recordingSchema> {
  readonly file: string;
}

const folder = resolve(import.meta.dirname, '../../../shared/recorded');

/** Recordings of the real service lie beside the project and are no part of it. */
export const hasRecordings = existsSync(folder);

/** Our own exchanges, and the recorded ones where they are at hand. */
export function readRecordings(): readonly Recording[] {
  const own = exchangeSessions.flatMap(([file, exchanges]) =>
    exchanges.map((exchange) => ({ ...recordingSchema.parse(exchange), file })),
  );
  return [...own, ...recordedFiles(/./).flatMap(readRecorded)];
}

/** Names of the recorded files, sorted; none where there are no recordings. */
export function recordedFiles(pattern: RegExp): readonly string[] {
  if (!hasRecordings) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'index.json');
  return names.filter((name) => pattern.test(name)).sort();
}

export function readRecorded(file: string): readonly Recording[] {
  const list: unknown = JSON.parse(readFileSync(resolve(folder, file), 'utf8'));
  return z
    .array(recordingSchema)
    .parse(list)
    .map((recording) => ({ ...recording, file }));
}

/** Every registration description in a text, cut out by a pattern and so by other means than the code under test. */
export function descriptionsIn(text: string): string[] {
  return [...text.matchAll(/<(\w*RegistrationDescription)\b[\s\S]*?<\/\1>/g)].map(([xml]) => xml);
}
