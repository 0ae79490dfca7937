import { app } from '@azure/functions';
import { viewDrill } from '../src/app/drills.ts';
import { startDrill } from '../src/app/start-drill.ts';
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
