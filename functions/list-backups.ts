import { listRunViews } from '../src/app/views.ts';
import { route } from '../src/http.ts';

/** `GET /api/backups`: the last backups, newest first. */
route('listBackups', 'GET', 'backups', async ({ app }) => ({ jsonBody: { value: await listRunViews(app, 'backup') } }));
