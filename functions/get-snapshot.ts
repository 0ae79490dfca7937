import { app } from '@azure/functions';
import { readSnapshotView } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/snapshots/{id}`: one snapshot with its shards; \`latest\` is the newest good one. */
app.http('getSnapshot', {
  methods: ['GET'],
  route: 'snapshots/{id}',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({ jsonBody: await readSnapshotView(dr, request.params['id'] ?? '') })),
});
