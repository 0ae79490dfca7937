import { app } from '@azure/functions';
import { unpinSnapshot } from '../src/app/snapshots/pin.ts';
import { viewSnapshot } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `DELETE /api/snapshots/{id}/pin`: retention may delete this snapshot again. */
app.http('unpinSnapshot', {
  methods: ['DELETE'],
  route: 'snapshots/{id}/pin',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({
      jsonBody: await viewSnapshot(dr, await unpinSnapshot(dr, request.params['id'] ?? '')),
    })),
});
