import { app } from '@azure/functions';
import { readBackupView } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/backups/{id}`: how a backup is going. 200 whatever became of it. */
app.http('getBackup', {
  methods: ['GET'],
  route: 'backups/{id}',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({ jsonBody: await readBackupView(dr, request.params['id'] ?? '') })),
});
