/**
 * What a process reads once for all that ask the same, of the `most` last asked for. What failed is not remembered; who
 * waits for it sees the failure.
 */
export function remembered<T>(
  known: Map<string, Promise<T>>,
  key: string,
  most: number,
  read: () => Promise<T>,
): Promise<T> {
  const found = known.get(key) ?? read();
  // Set again, so that the first in the map is the one longest unused.
  known.delete(key);
  known.set(key, found);
  for (const oldest of [...known.keys()].slice(0, -most)) known.delete(oldest);
  found.catch(() => known.delete(key));
  return found;
}
