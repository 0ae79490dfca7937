import { app } from '@azure/functions';
import { startRetry } from '../src/app/restore/retry.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { accepted, answer } from '../src/http.ts';

/** `POST /api/restores/{id}/retry`: restore again only what failed. */
app.http('retryRestore', {
  methods: ['POST'],
  route: 'restores/{id}/retry',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const run = await startRetry(dr, request.params['id'] ?? '');
      return accepted(request, `/api/restores/${run.id}`, await viewRestore(dr, run));
    }),
});
