import { listRunViews } from '../src/app/views.ts';
import { listRoute } from '../src/http.ts';

/** `GET /api/restores`: the restores, newest first, 50 a page. */
listRoute('listRestores', 'restores', (app, from) => listRunViews(app, 'restore', from));
