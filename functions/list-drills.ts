import { app } from '@azure/functions';
import { listDrillViews } from '../src/app/drill/view.ts';
import { answer } from '../src/http.ts';

/** `GET /api/drills`: the last drills, newest first. */
app.http('listDrills', {
  methods: ['GET'],
  route: 'drills',
  authLevel: 'function',
  handler: (_request, context) => answer(context, async (dr) => ({ jsonBody: { value: await listDrillViews(dr) } })),
});
