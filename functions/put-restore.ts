import { startRestore } from '../src/app/restore/start.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRestoreRequest } from '../src/core/request/restore.ts';
import { accepted, type Call, route } from '../src/http.ts';

/** `PUT /api/restores/{id}`: the same as POST under the caller's id, safe to repeat. */
route('putRestore', 'PUT', 'restores/{id}', start, { body: true });

async function start({ app, request, id, body, askedBy }: Call) {
  const { run, isNew } = await startRestore(app, parseRestoreRequest(body), { id, askedBy });
  return accepted(request, `/api/restores/${run.id}`, await viewRestore(app, run), isNew ? 201 : 200);
}
