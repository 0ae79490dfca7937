/** A JSON object from the API. A missing field or one of another type reads as `undefined`: app versions differ. */
export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const textAt = reader((value) => typeof value === 'string', undefined);
export const numberAt = reader((value) => typeof value === 'number', undefined);
export const flagAt = reader((value) => typeof value === 'boolean', undefined);
/** The object at this path, or an empty one. */
export const objectAt = reader(isObject, {});
/** The list at this path, or an empty one. */
export const listAt = reader((value): value is readonly unknown[] => Array.isArray(value), []);

/** `namespace/hub` of the hub at this path. */
export function fullNameAt(from: unknown, ...path: readonly string[]): string | undefined {
  const [namespace, hub] = [textAt(from, ...path, 'namespace'), textAt(from, ...path, 'hub')];
  return namespace === undefined || hub === undefined ? undefined : `${namespace}/${hub}`;
}

/** The numbers above zero in an object, by name. */
export function countsAt(from: unknown, ...path: readonly string[]): readonly (readonly [string, number])[] {
  return Object.entries(objectAt(from, ...path)).flatMap(([name, value]) =>
    typeof value === 'number' && value > 0 ? [[name, value] as const] : [],
  );
}

function reader<T, Absent extends T | undefined>(isWanted: (value: unknown) => value is T, absent: Absent) {
  return (from: unknown, ...path: readonly string[]): T | Absent => {
    const found = path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), from);
    return isWanted(found) ? found : absent;
  };
}
