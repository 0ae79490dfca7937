import { app } from '@azure/functions';
import { readDrillView } from '../src/app/drill/view.ts';
import { answer } from '../src/http.ts';

/** `GET /api/drills/{id}`: how a drill is going. 200 whatever became of it. */
app.http('getDrill', {
  methods: ['GET'],
  route: 'drills/{id}',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({ jsonBody: await readDrillView(dr, request.params['id'] ?? '') })),
});
