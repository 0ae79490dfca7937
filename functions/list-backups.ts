import { listRunViews } from '../src/app/views.ts';
import { listRoute } from '../src/http.ts';

/** `GET /api/backups`: the backups, newest first, 50 a page. */
listRoute('listBackups', 'backups', (app, from) => listRunViews(app, 'backup', from));
