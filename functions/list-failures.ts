import { readFailureGroups } from '../src/app/restore/failure-groups.ts';
import { readFailures } from '../src/app/restore/failures.ts';
import { failuresQuery } from '../src/core/request/sent.ts';
import { type Call, nextLinkOf, route } from '../src/http.ts';

/** `GET /api/restores/{id}/failures`: the records that could not be restored, each with its reason, or `?by=reason` counted. */
route('listFailures', 'GET', 'restores/{id}/failures', list, { query: failuresQuery });

async function list({ app, request, id }: Call) {
  const from = request.query.get('from') ?? undefined;
  const by = request.query.get('by');
  const { value, next } = await (by === null ? readFailures : readFailureGroups)(app, id, from);
  const nextLink = next && nextLinkOf(request, { ...(by === null ? {} : { by }), from: next });
  return { jsonBody: { value, nextLink } };
}
