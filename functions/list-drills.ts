import { listDrillViews } from '../src/app/drill/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/drills`: the last drills, newest first. */
route('listDrills', 'GET', 'drills', async ({ app }) => ({ jsonBody: { value: await listDrillViews(app) } }));
