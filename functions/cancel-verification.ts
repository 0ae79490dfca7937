import { cancelVerification } from '../src/app/snapshots/cancel-verification.ts';
import { viewVerification } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `POST /api/verifications/{id}/cancel`: stop; it proves nothing then. */
route('cancelVerification', 'POST', 'verifications/{id}/cancel', async ({ app, id }) => ({
  jsonBody: await viewVerification(app, await cancelVerification(app, id)),
}));
