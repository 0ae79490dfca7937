import { listRunViews } from '../src/app/views.ts';
import { route } from '../src/http.ts';

/** `GET /api/restores`: the last restores, newest first. */
route('listRestores', 'GET', 'restores', async ({ app }) => ({
  jsonBody: { value: await listRunViews(app, 'restore') },
}));
