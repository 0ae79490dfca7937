import { readDrillView } from '../src/app/drill/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/drills/{id}`: how a drill is going. 200 whatever became of it. */
route('getDrill', 'GET', 'drills/{id}', async ({ app, id }) => ({ jsonBody: await readDrillView(app, id) }));
