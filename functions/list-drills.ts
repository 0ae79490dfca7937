import { listDrillViews } from '../src/app/drill/view.ts';
import { listRoute } from '../src/http.ts';

/** `GET /api/drills`: the drills, newest first, 50 a page. */
listRoute('listDrills', 'drills', listDrillViews);
