import { app } from '@azure/functions';
import { startVerification } from '../src/app/snapshots/start-verification.ts';
import { viewVerification } from '../src/app/views.ts';
import { accepted, answer } from '../src/http.ts';

/** `POST /api/snapshots/{id}/verify`: read the whole snapshot again, and prove that it can be restored. */
app.http('startVerification', {
  methods: ['POST'],
  route: 'snapshots/{id}/verify',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const run = await startVerification(dr, request.params['id'] ?? '', 'http');
      return accepted(request, `/api/verifications/${run.id}`, await viewVerification(dr, run));
    }),
});
