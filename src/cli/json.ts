/** A JSON object from the API. A missing field or one of another type reads as `undefined`: app versions differ. */
export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const textAt = reader((value) => typeof value === 'string');
export const numberAt = reader((value) => typeof value === 'number');
export const flagAt = reader((value) => typeof value === 'boolean');
const foundObjectAt = reader(isObject);
const foundListAt = reader((value): value is readonly unknown[] => Array.isArray(value));

/** The object at this path, or an empty one. */
export function objectAt(from: unknown, ...path: readonly string[]): Json {
  return foundObjectAt(from, ...path) ?? {};
}

/** The list at this path, or an empty one. */
export function listAt(from: unknown, ...path: readonly string[]): readonly unknown[] {
  return foundListAt(from, ...path) ?? [];
}

/** The numbers above zero in an object, by name. */
export function countsAt(from: unknown, ...path: readonly string[]): readonly (readonly [string, number])[] {
  return Object.entries(objectAt(from, ...path)).flatMap(([name, value]) =>
    typeof value === 'number' && value > 0 ? [[name, value] as const] : [],
  );
}

function reader<T>(isWanted: (value: unknown) => value is T) {
  return (from: unknown, ...path: readonly string[]): T | undefined => {
    const found = path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), from);
    return isWanted(found) ? found : undefined;
  };
}
