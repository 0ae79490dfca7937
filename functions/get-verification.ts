import { readVerificationView } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/verifications/{id}`: how a verification is going. 200 whatever became of it. */
route('getVerification', 'GET', 'verifications/{id}', async ({ app, id }) => ({
  jsonBody: await readVerificationView(app, id),
}));
