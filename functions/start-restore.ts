import { app } from '@azure/functions';
import { startRestore } from '../src/app/start-restore.ts';
import { viewRestore } from '../src/app/view-restore.ts';
import { parseRestoreRequest } from '../src/core/restore-request.ts';
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
