import { app } from '@azure/functions';
import { startBackup } from '../src/app/backup/start.ts';
import { viewBackup } from '../src/app/views.ts';
import { accepted, answer } from '../src/http.ts';

/** `POST /api/backups`: back up now. */
app.http('startBackup', {
  methods: ['POST'],
  route: 'backups',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const run = await startBackup(dr, 'http');
      return accepted(request, `/api/backups/${run.id}`, await viewBackup(dr, run));
    }),
});
