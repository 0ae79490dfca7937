import { startRestore } from '../src/app/restore/start.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRestoreRequest } from '../src/core/request/restore.ts';
import { accepted, route } from '../src/http.ts';

/** `POST /api/restores`: put a snapshot (the latest good one unless named) into the secondary hub. */
route('startRestore', 'POST', 'restores', async ({ app, request }) => {
  const { run } = await startRestore(app, parseRestoreRequest(await request.text()));
  return accepted(request, `/api/restores/${run.id}`, await viewRestore(app, run));
});
