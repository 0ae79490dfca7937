import { startDrill } from '../src/app/drill/start.ts';
import { viewDrill } from '../src/app/drill/view.ts';
import { accepted, route } from '../src/http.ts';

/** `POST /api/drills`: rehearse a restore now. */
route('startDrill', 'POST', 'drills', async ({ app, request, askedBy }) => {
  const drill = await startDrill(app, 'http', askedBy);
  return accepted(request, `/api/drills/${drill.id}`, viewDrill(drill));
});
