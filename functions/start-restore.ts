import { app } from '@azure/functions';
import { startRestore } from '../src/app/restore/start.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRestoreRequest } from '../src/core/request/restore.ts';
import { accepted, answer } from '../src/http.ts';

/** `POST /api/restores`: put a snapshot (the latest good one unless named) into the secondary hub. */
app.http('startRestore', {
  methods: ['POST'],
  route: 'restores',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const { run } = await startRestore(dr, parseRestoreRequest(await request.text()));
      return accepted(request, `/api/restores/${run.id}`, await viewRestore(dr, run));
    }),
});
