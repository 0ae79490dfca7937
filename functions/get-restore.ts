import { readRestoreView } from '../src/app/restore/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/restores/{id}`: how a restore is going. 200 whatever became of it. */
route('getRestore', 'GET', 'restores/{id}', async ({ app, id }) => ({ jsonBody: await readRestoreView(app, id) }));
