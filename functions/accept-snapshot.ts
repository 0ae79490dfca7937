import { acceptSnapshot } from '../src/app/snapshots/accept.ts';
import { viewSnapshot } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `POST /api/snapshots/{id}/accept`: what this suspect one holds is what is usual from now on. */
route('acceptSnapshot', 'POST', 'snapshots/{id}/accept', async ({ app, id }) => ({
  jsonBody: await viewSnapshot(app, await acceptSnapshot(app, id)),
}));
