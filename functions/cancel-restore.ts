import { cancelRestore } from '../src/app/restore/outcomes/cancel.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { route } from '../src/http.ts';

/** `POST /api/restores/{id}/cancel`: stop; what is written stays, and a new restore continues from there. */
route('cancelRestore', 'POST', 'restores/{id}/cancel', async ({ app, id }) => ({
  jsonBody: await viewRestore(app, await cancelRestore(app, id)),
}));
