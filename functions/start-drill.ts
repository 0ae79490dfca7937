import { app } from '@azure/functions';
import { startDrill } from '../src/app/drill/start.ts';
import { viewDrill } from '../src/app/drill/view.ts';
import { accepted, answer } from '../src/http.ts';

/** `POST /api/drills`: rehearse a restore now. */
app.http('startDrill', {
  methods: ['POST'],
  route: 'drills',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const drill = await startDrill(dr, 'http');
      return accepted(request, `/api/drills/${drill.id}`, viewDrill(drill));
    }),
});
