import { listRunViews } from '../src/app/views.ts';
import { route } from '../src/http.ts';

/** `GET /api/verifications`: the last verifications, newest first. */
route('listVerifications', 'GET', 'verifications', async ({ app }) => ({
  jsonBody: { value: await listRunViews(app, 'verification') },
}));
