import { app } from '@azure/functions';
import { readFailures } from '../src/app/restore/failures.ts';
import { answer } from '../src/http.ts';

/** `GET /api/restores/{id}/failures`: the records that could not be restored, each with its reason. */
app.http('listFailures', {
  methods: ['GET'],
  route: 'restores/{id}/failures',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const { value, next } = await readFailures(
        dr,
        request.params['id'] ?? '',
        request.query.get('from') ?? undefined,
      );
      if (next === undefined) return { jsonBody: { value } };
      const nextLink = new URL(request.url);
      nextLink.searchParams.delete('code');
      nextLink.searchParams.set('from', next);
      return { jsonBody: { value, nextLink: nextLink.href } };
    }),
});
