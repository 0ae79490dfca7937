import { readFailures } from '../src/app/restore/failures.ts';
import { route } from '../src/http.ts';

/** `GET /api/restores/{id}/failures`: the records that could not be restored, each with its reason. */
route('listFailures', 'GET', 'restores/{id}/failures', async ({ app, request, id }) => {
  const { value, next } = await readFailures(app, id, request.query.get('from') ?? undefined);
  if (next === undefined) return { jsonBody: { value } };
  const nextLink = new URL(request.url);
  nextLink.searchParams.delete('code');
  nextLink.searchParams.set('from', next);
  return { jsonBody: { value, nextLink: nextLink.href } };
});
