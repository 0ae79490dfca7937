import { askForRetry } from '../src/app/restore/retry.ts';
import { viewRestore } from '../src/app/restore/view.ts';
import { parseRetryRequest } from '../src/core/request/restore.ts';
import { accepted, type Call, route } from '../src/http.ts';

/** `POST /api/restores/{id}/retry`: restore again only what failed. */
route('retryRestore', 'POST', 'restores/{id}/retry', start, { body: true });

async function start({ app, request, id, body, askedBy }: Call) {
  const run = await askForRetry(app, id, parseRetryRequest(body), askedBy);
  return accepted(request, `/api/restores/${run.id}`, await viewRestore(app, run));
}
