import { exportIdMap } from '../src/app/restore/outcomes/export-id-map.ts';
import { route } from '../src/http.ts';

/** `GET /api/restores/{id}/id-map`: which new registration ids stand for those the target refused, as CSV. */
route('getIdMap', 'GET', 'restores/{id}/id-map', async ({ app, id }) => ({
  headers: { 'content-type': 'text/csv; charset=utf-8' },
  body: await exportIdMap(app, id),
}));
