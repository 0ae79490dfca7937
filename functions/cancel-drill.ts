import { cancelDrill } from '../src/app/drill/cancel.ts';
import { viewDrill } from '../src/app/drill/view.ts';
import { route } from '../src/http.ts';

/** `POST /api/drills/{id}/cancel`: stop; what it restored is removed from the scratch hub again. */
route('cancelDrill', 'POST', 'drills/{id}/cancel', async ({ app, id }) => ({
  jsonBody: viewDrill(await cancelDrill(app, id)),
}));
