import { startRetry } from '../src/app/restore/retry.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { accepted, route } from '../src/http.ts';

/** `POST /api/restores/{id}/retry`: restore again only what failed. */
route('retryRestore', 'POST', 'restores/{id}/retry', async ({ app, request, id }) => {
  const run = await startRetry(app, id);
  return accepted(request, `/api/restores/${run.id}`, await viewRestore(app, run));
});
