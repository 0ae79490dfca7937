import { startVerification } from '../src/app/snapshots/start-verification.ts';
import { viewVerification } from '../src/app/snapshots/view.ts';
import { accepted, route } from '../src/http.ts';

/** `POST /api/snapshots/{id}/verify`: read the whole snapshot again, and prove that it can be restored. */
route('startVerification', 'POST', 'snapshots/{id}/verify', async ({ app, request, id, askedBy }) => {
  const run = await startVerification(app, id, 'http', { askedBy });
  return accepted(request, `/api/verifications/${run.id}`, await viewVerification(app, run));
});
