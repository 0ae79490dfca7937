import { app } from '@azure/functions';
import { cancelRestore } from '../src/app/restore/cancel.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { answer } from '../src/http.ts';

/** `POST /api/restores/{id}/cancel`: stop; what is written stays, and a new restore goes on from there. */
app.http('cancelRestore', {
  methods: ['POST'],
  route: 'restores/{id}/cancel',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({
      jsonBody: await viewRestore(dr, await cancelRestore(dr, request.params['id'] ?? '')),
    })),
});
