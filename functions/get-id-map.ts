import { app } from '@azure/functions';
import { exportIdMap } from '../src/app/restore/export-id-map.ts';
import { answer } from '../src/http.ts';

/** `GET /api/restores/{id}/id-map`: which new registration ids stand for those the target refused, as CSV. */
app.http('getIdMap', {
  methods: ['GET'],
  route: 'restores/{id}/id-map',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({
      headers: { 'content-type': 'text/csv; charset=utf-8' },
      body: await exportIdMap(dr, request.params['id'] ?? ''),
    })),
});
