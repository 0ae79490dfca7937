import { pinSnapshot } from '../src/app/snapshots/pin.ts';
import { viewSnapshot } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `PUT /api/snapshots/{id}/pin`: retention leaves this snapshot alone until it is unpinned. */
route('pinSnapshot', 'PUT', 'snapshots/{id}/pin', async ({ app, id }) => ({
  jsonBody: await viewSnapshot(app, await pinSnapshot(app, id)),
}));
