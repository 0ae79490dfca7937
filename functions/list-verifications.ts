import { app } from '@azure/functions';
import { listRunViews } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/verifications`: the last verifications, newest first. */
app.http('listVerifications', {
  methods: ['GET'],
  route: 'verifications',
  authLevel: 'function',
  handler: (_request, context) =>
    answer(context, async (dr) => ({ jsonBody: { value: await listRunViews(dr, 'verification') } })),
});
