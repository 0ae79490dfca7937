import { app } from '@azure/functions';
import { listSnapshotViews } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/snapshots`: every snapshot of the primary hub, newest first. */
app.http('listSnapshots', {
  methods: ['GET'],
  route: 'snapshots',
  authLevel: 'function',
  handler: (_request, context) => answer(context, async (dr) => ({ jsonBody: { value: await listSnapshotViews(dr) } })),
});
