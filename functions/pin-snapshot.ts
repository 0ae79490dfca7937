import { app } from '@azure/functions';
import { pinSnapshot } from '../src/app/snapshots/pin.ts';
import { viewSnapshot } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `PUT /api/snapshots/{id}/pin`: retention leaves this snapshot alone until it is unpinned. */
app.http('pinSnapshot', {
  methods: ['PUT'],
  route: 'snapshots/{id}/pin',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({
      jsonBody: await viewSnapshot(dr, await pinSnapshot(dr, request.params['id'] ?? '')),
    })),
});
