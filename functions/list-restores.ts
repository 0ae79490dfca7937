import { app } from '@azure/functions';
import { listRunViews } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/restores`: the last restores, newest first. */
app.http('listRestores', {
  methods: ['GET'],
  route: 'restores',
  authLevel: 'function',
  handler: (_request, context) =>
    answer(context, async (dr) => ({ jsonBody: { value: await listRunViews(dr, 'restore') } })),
});
