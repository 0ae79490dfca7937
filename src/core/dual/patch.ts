import { z } from 'zod';

/**
 * JSON Patch as the service takes it for installations. Of the paths that are documented: what a patch does to a hub has
 * to be known here, too, because a hub that missed it is given the whole installation.
 */
export const operationSchema = z.strictObject({
  op: z.enum(['add', 'replace', 'remove']),
  path: z
    .string()
    .regex(
      /^\/(?:pushChannel|userId|expirationTime|pushVariables(?:\/[^/]+)?|tags(?:\/[^/]+)?|templates(?:\/.+)?|secondaryTiles(?:\/.+)?)$/i,
      'is not a path of an installation that can be patched',
    ),
  value: z.json().optional(),
});

export type Operation = Readonly<z.infer<typeof operationSchema>>;

type Fields = { [key: string]: unknown };

/**
 * The installation after a patch. With the service's oddities: `add /tags` takes a text as one more tag, a list or an
 * object may come as JSON text, and any patch sets the expiry back to never unless it sets one. Doing it twice is doing
 * it once.
 */
export function patched(installation: Readonly<Fields>, operations: readonly Operation[]): Fields {
  if (operations.length === 0) return { ...installation };
  const whole = structuredClone<Fields>(installation);
  delete whole['expirationTime'];
  for (const operation of operations) {
    const [first = '', ...rest] = operation.path.slice(1).split('/').map(unescaped);
    const field = [
      'pushChannel',
      'userId',
      'expirationTime',
      'pushVariables',
      'tags',
      'templates',
      'secondaryTiles',
    ].find((name) => name.toLowerCase() === first.toLowerCase());
    if (field === 'tags') whole['tags'] = patchTags(whole['tags'], operation, rest[0]);
    else patchAt(whole, [field ?? first, ...rest], operation);
  }
  return whole;
}

function patchTags(before: unknown, { op, value }: Operation, named: string | undefined): string[] {
  const tags = textsIn(before);
  const isAll = named === undefined || named === '-';
  const others = isAll ? tags : tags.filter((tag) => !isSame(tag, named));
  if (op === 'remove') return isAll ? [] : others;
  const given = textsIn(fromJson(value));
  if (op === 'replace' && isAll) return given;
  return [...others.filter((tag) => !given.some((other) => isSame(tag, other))), ...given];
}

function patchAt(target: Fields, [key = '', ...rest]: readonly string[], operation: Operation): void {
  const { op, value } = operation;
  if (rest.length > 0) {
    const inner = fieldsOf(target[key]);
    target[key] = inner;
    if (rest[0] === 'tags' && rest.length <= 2) inner['tags'] = patchTags(inner['tags'], operation, rest[1]);
    else patchAt(inner, rest, operation);
  } else if (op === 'remove') delete target[key];
  else target[key] = key === 'body' || key === 'pushChannel' ? value : fromJson(value);
}

function textsIn(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === 'string');
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Clients that know only texts send an object or a list as JSON text. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    // It looks like JSON and is not: the text itself is meant.
    return value;
  }
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
