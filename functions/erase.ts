import { erase } from '../src/app/erasure/erase.ts';
import { parseErasure } from '../src/core/request/erasure.ts';
import { type Call, route } from '../src/http.ts';

/** `POST /api/erasures`: no restore brings a person back from snapshots read before this. */
route('erase', 'POST', 'erasures', eraseOne, { body: true });

async function eraseOne({ app, body }: Call) {
  return { jsonBody: await erase(app, parseErasure(body)) };
}
