import { app } from '@azure/functions';
import { startRestore } from '../src/app/restore/start.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRestoreRequest } from '../src/core/request/restore.ts';
import { accepted, answer } from '../src/http.ts';

/** `PUT /api/restores/{id}`: the same as POST under the caller's id, safe to repeat. */
app.http('putRestore', {
  methods: ['PUT'],
  route: 'restores/{id}',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const id = request.params['id'] ?? '';
      const { run, isNew } = await startRestore(dr, parseRestoreRequest(await request.text()), { id });
      return accepted(request, `/api/restores/${run.id}`, await viewRestore(dr, run), isNew ? 201 : 200);
    }),
});
