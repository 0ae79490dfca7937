import { app } from '@azure/functions';
import { listRunViews } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/backups`: the last backups, newest first. */
app.http('listBackups', {
  methods: ['GET'],
  route: 'backups',
  authLevel: 'function',
  handler: (_request, context) =>
    answer(context, async (dr) => ({ jsonBody: { value: await listRunViews(dr, 'backup') } })),
});
