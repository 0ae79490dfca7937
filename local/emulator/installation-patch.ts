import { z } from 'zod';
import { type Installation, parseInstallation } from './installation.ts';
import { ServiceError } from './service-error.ts';

const operationSchema = z.object({
  op: z.literal(['add', 'replace', 'remove']),
  path: z.string().startsWith('/'),
  value: z.unknown().optional(),
});

export type PatchOperation = z.infer<typeof operationSchema>;

type JsonObject = { [key: string]: unknown };

/** @throws ServiceError 400 unless the body is a list of operations the service offers. */
export function parsePatch(body: unknown): PatchOperation[] {
  const parsed = z.array(operationSchema).min(1).safeParse(body);
  if (!parsed.success) throw new ServiceError(400, 'The supplied installation patch is invalid.');
  return parsed.data;
}

/**
 * JSON Patch with the service's oddities: `add /tags` takes a plain text as one more tag, a template may come as JSON
 * text, and any patch sets the expiry back to never unless it sets one.
 * @throws ServiceError 400 when the outcome is not a valid installation.
 */
export function applyPatch(installation: Installation, operations: readonly PatchOperation[]): Installation {
  const document: JsonObject = { ...structuredClone(installation), expirationTime: undefined };
  for (const operation of operations) {
    const [first = '', ...rest] = operation.path.slice(1).split('/').map(unescapePointer);
    const field = Object.keys(document).find((key) => key.toLowerCase() === first.toLowerCase());
    if (field === undefined || field === 'installationId') throw new ServiceError(400, `No such path.`);
    if (field === 'tags') document['tags'] = patchTags(installationTags(document['tags']), operation, rest);
    else patchAt(document, [field, ...rest], operation);
  }
  return parseInstallation(installation.installationId, document);
}

function patchTags(tags: readonly string[], { op, value }: PatchOperation, rest: readonly string[]): string[] {
  const named = rest[0] === '-' || rest[0] === undefined ? undefined : rest[0];
  if (op === 'remove') return named === undefined ? [] : tags.filter((tag) => !isSameTag(tag, named));
  const given = z
    .union([z.string(), z.array(z.string())])
    .safeParse(typeof value === 'string' ? fromJson(value) : value);
  if (!given.success) throw new ServiceError(400, 'The supplied tags are invalid.');
  const added = [given.data].flat();
  if (named !== undefined) return [...tags.filter((tag) => !isSameTag(tag, named)), ...added];
  return op === 'replace' ? added : [...tags, ...added];
}

function patchAt(target: JsonObject, path: readonly string[], { op, value }: PatchOperation): void {
  const [key = '', ...rest] = path;
  if (rest.length > 0) {
    const inner = asObject(target[key]);
    target[key] = inner;
    const isTagList = rest.length === 1 && rest[0] === 'tags' && op === 'add' && Array.isArray(inner['tags']);
    if (isTagList) inner['tags'] = [...installationTags(inner['tags']), ...[fromJson(value)].flat()];
    else patchAt(inner, rest, { op, path: '', value });
  } else if (op === 'remove') {
    delete target[key];
  } else {
    target[key] = key === 'body' || key === 'pushChannel' ? value : fromJson(value);
  }
}

function installationTags(value: unknown): string[] {
  return z.array(z.string()).catch([]).parse(value);
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Clients that know only texts (.NET, Java) send an object or a list as JSON text. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    // Looks like JSON and is not: the text itself is meant.
    return value;
  }
}

function isSameTag(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
