import { cancelBackup } from '../src/app/backup/cancel.ts';
import { viewBackup } from '../src/app/backup/view.ts';
import { route } from '../src/http.ts';

/** `POST /api/backups/{id}/cancel`: stop; nothing of it becomes a snapshot. */
route('cancelBackup', 'POST', 'backups/{id}/cancel', async ({ app, id }) => ({
  jsonBody: await viewBackup(app, await cancelBackup(app, id)),
}));
