import { unpinSnapshot } from '../src/app/snapshots/pin.ts';
import { viewSnapshot } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `DELETE /api/snapshots/{id}/pin`: retention may delete this snapshot again. */
route('unpinSnapshot', 'DELETE', 'snapshots/{id}/pin', async ({ app, id }) => ({
  jsonBody: await viewSnapshot(app, await unpinSnapshot(app, id)),
}));
