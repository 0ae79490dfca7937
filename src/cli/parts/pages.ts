import type { Context } from './context.ts';
import { listAt, textAt } from './json.ts';

/** Pages of a list, all of them unless the caller wants only the first, and what that notes. */
export async function readPages({ client }: Context, path: string, { query: first = '', isAll = true } = {}) {
  const value: unknown[] = [];
  let note: string | undefined;
  let query: string | undefined = first;
  do {
    const page = await client.call('GET', `${path}${query}`);
    value.push(...listAt(page, 'value'));
    note ??= textAt(page, 'note');
    query = URL.parse(textAt(page, 'nextLink') ?? '')?.search;
  } while (isAll && query !== undefined);
  return { value, note, hasMore: query !== undefined };
}
