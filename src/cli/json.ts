/** A JSON object of the API. What is missing or of another kind is `undefined`: newer and older workers answer, too. */
export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object a path of names leads to; an empty one when there is none. */
export function objectAt(from: unknown, ...path: readonly string[]): Json {
  const value = valueAt(from, path);
  return isObject(value) ? value : {};
}

export function textAt(from: unknown, ...path: readonly string[]): string | undefined {
  const value = valueAt(from, path);
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(from: unknown, ...path: readonly string[]): number | undefined {
  const value = valueAt(from, path);
  return typeof value === 'number' ? value : undefined;
}

export function flagAt(from: unknown, ...path: readonly string[]): boolean | undefined {
  const value = valueAt(from, path);
  return typeof value === 'boolean' ? value : undefined;
}

export function listAt(from: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = valueAt(from, path);
  return Array.isArray(value) ? value : [];
}

/** The numbers above zero of an object, by name. */
export function countsAt(from: unknown, ...path: readonly string[]): readonly (readonly [string, number])[] {
  return Object.entries(objectAt(from, ...path)).flatMap(([name, value]) =>
    typeof value === 'number' && value > 0 ? [[name, value] as const] : [],
  );
}

function valueAt(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const name of path) {
    if (!isObject(value)) return undefined;
    value = value[name];
  }
  return value;
}
