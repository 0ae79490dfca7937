import { startBackup } from '../src/app/backup/start.ts';
import { viewBackup } from '../src/app/backup/view.ts';
import { accepted, route } from '../src/http.ts';

/** `POST /api/backups`: back up now. */
route('startBackup', 'POST', 'backups', async ({ app, request, askedBy }) => {
  const run = await startBackup(app, 'http', askedBy);
  return accepted(request, `/api/backups/${run.id}`, await viewBackup(app, run));
});
