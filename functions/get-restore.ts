import { app } from '@azure/functions';
import { readRestoreView } from '../src/app/restore/view.ts';
import { answer } from '../src/http.ts';

/** `GET /api/restores/{id}`: how a restore is going. 200 whatever became of it. */
app.http('getRestore', {
  methods: ['GET'],
  route: 'restores/{id}',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({ jsonBody: await readRestoreView(dr, request.params['id'] ?? '') })),
});
