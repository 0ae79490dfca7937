import { deleteSnapshot } from '../src/app/erasure/delete-snapshot.ts';
import { route } from '../src/http.ts';

/** `DELETE /api/snapshots/{id}`: deletes a snapshot for good, unless it is pinned, in use, or the newest good one. */
route('deleteSnapshot', 'DELETE', 'snapshots/{id}', async ({ app, id }) => ({
  jsonBody: await deleteSnapshot(app, id),
}));
