import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** One recorded exchange with the real service, or one request of its SDK. */
export interface Recording {
  readonly file: string;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly status: number | undefined;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: string;
  readonly responseBody: string;
}

const folder = resolve(import.meta.dirname, '../../../shared/recorded');

/** Empty where the recordings are not at hand, which is printed: they are no part of this repository. */
export function readRecordings(): readonly Recording[] {
  if (!existsSync(folder)) {
    console.warn('The recordings of the service are absent: only the examples in this repository are checked.');
    return [];
  }
  const files = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'index.json');
  return files.flatMap((file) => readFile(file));
}

function readFile(file: string): Recording[] {
  const list: unknown = JSON.parse(readFileSync(resolve(folder, file), 'utf8'));
  if (!Array.isArray(list)) throw new Error(`recording ${file} is not a list`);
  return list.map((item: unknown) => {
    const text = (name: string): string | undefined => {
      const value = fieldOf(item, name);
      return typeof value === 'string' ? value : undefined;
    };
    const status = fieldOf(item, 'status');
    return {
      file,
      method: text('method'),
      path: text('path'),
      status: typeof status === 'number' ? status : undefined,
      requestHeaders: toHeaders(fieldOf(item, 'requestHeaders')),
      requestBody: text('requestBody') ?? '',
      responseBody: text('responseBody') ?? '',
    };
  });
}

function fieldOf(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null
    ? Object.entries(item).find(([key]) => key === name)?.[1]
    : undefined;
}

function toHeaders(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  );
}

/** Every registration description in a text, cut out by a pattern and so by other means than the code under test. */
export function descriptionsIn(text: string): string[] {
  return [...text.matchAll(/<(\w*RegistrationDescription)\b[\s\S]*?<\/\1>/g)].map(([xml]) => xml);
}
