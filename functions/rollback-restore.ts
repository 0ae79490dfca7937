import { startRollback } from '../src/app/restore/rollback.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRollbackRequest } from '../src/core/request/restore.ts';
import { accepted, type Call, route } from '../src/http.ts';

/** `POST /api/restores/{id}/rollback`: removes what a restore wrote and nothing has changed since. */
route('rollbackRestore', 'POST', 'restores/{id}/rollback', start, { body: true });

async function start({ app, request, id, body, askedBy }: Call) {
  const run = await startRollback(app, id, parseRollbackRequest(body), { askedBy });
  return accepted(request, `/api/restores/${run.id}`, await viewRestore(app, run));
}
