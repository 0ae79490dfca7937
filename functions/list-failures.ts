import { readFailures } from '../src/app/restore/failures.ts';
import { pageQuery } from '../src/core/request/sent.ts';
import { type Call, nextLinkOf, route } from '../src/http.ts';

/** `GET /api/restores/{id}/failures`: the records that could not be restored, each with its reason. */
route('listFailures', 'GET', 'restores/{id}/failures', list, { query: pageQuery });

async function list({ app, request, id }: Call) {
  const { value, next } = await readFailures(app, id, request.query.get('from') ?? undefined);
  return { jsonBody: { value, nextLink: next === undefined ? undefined : nextLinkOf(request, { from: next }) } };
}
