import { readFailures } from '../src/app/restore/failures.ts';
import { pageQuery } from '../src/core/request/sent.ts';
import { type Call, route } from '../src/http.ts';

/** `GET /api/restores/{id}/failures`: the records that could not be restored, each with its reason. */
route('listFailures', 'GET', 'restores/{id}/failures', list, { query: pageQuery });

async function list({ app, request, id }: Call) {
  const { value, next } = await readFailures(app, id, request.query.get('from') ?? undefined);
  if (next === undefined) return { jsonBody: { value } };
  const nextLink = new URL(request.url);
  // Without the key that may have been in it.
  nextLink.search = new URLSearchParams({ from: next }).toString();
  return { jsonBody: { value, nextLink: nextLink.href } };
}
