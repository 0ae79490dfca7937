import { startRestore } from '../src/app/restore/start.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRestoreRequest } from '../src/core/request/restore.ts';
import { accepted, type Call, route } from '../src/http.ts';

/** `POST /api/restores`: put a snapshot (the latest good one unless named) into the secondary hub. */
route('startRestore', 'POST', 'restores', start, { body: true });

async function start({ app, request, body, askedBy }: Call) {
  const { run } = await startRestore(app, parseRestoreRequest(body), { askedBy });
  return accepted(request, `/api/restores/${run.id}`, await viewRestore(app, run));
}
