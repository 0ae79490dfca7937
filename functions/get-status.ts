import { readStatus } from '../src/app/readiness/status.ts';
import { route } from '../src/http.ts';

/** `GET /api/status`: would a failover now go well? 503 when not, so that any monitor can watch it. */
route('getStatus', 'GET', 'status', async ({ app }) => {
  const status = await readStatus(app);
  return { status: status.verdict === 'NotReady' ? 503 : 200, jsonBody: status };
});
