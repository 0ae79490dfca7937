import { readBackupView } from '../src/app/backup/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/backups/{id}`: how a backup is going. 200 whatever became of it. */
route('getBackup', 'GET', 'backups/{id}', async ({ app, id }) => ({ jsonBody: await readBackupView(app, id) }));
