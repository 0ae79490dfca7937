/** Fields of what came from outside, whose form is not relied on. */

export function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const field: unknown = Reflect.get(value, key);
  return field;
}

/** `undefined` for an empty text, too. */
export function textIn(value: unknown, key: string): string | undefined {
  const field = fieldOf(value, key);
  return typeof field === 'string' && field !== '' ? field : undefined;
}

export function listIn(value: unknown, key: string): readonly unknown[] {
  const field: unknown = fieldOf(value, key);
  return Array.isArray(field) ? field : [];
}
