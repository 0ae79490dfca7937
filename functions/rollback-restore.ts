import { app } from '@azure/functions';
import { startRollback } from '../src/app/restore/rollback.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRollbackRequest } from '../src/core/request/restore.ts';
import { accepted, answer } from '../src/http.ts';

/** `POST /api/restores/{id}/rollback`: remove what a restore wrote and nobody changed since. */
app.http('rollbackRestore', {
  methods: ['POST'],
  route: 'restores/{id}/rollback',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const run = await startRollback(dr, request.params['id'] ?? '', parseRollbackRequest(await request.text()));
      return accepted(request, `/api/restores/${run.id}`, await viewRestore(dr, run));
    }),
});
