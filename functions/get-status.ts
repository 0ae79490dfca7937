import { app } from '@azure/functions';
import { readStatus } from '../src/app/readiness/status.ts';
import { answer } from '../src/http.ts';

/** `GET /api/status`: would a failover now go well? 503 when not, so that any monitor can watch it. */
app.http('getStatus', {
  methods: ['GET'],
  route: 'status',
  authLevel: 'function',
  handler: (_request, context) =>
    answer(context, async (dr) => {
      const status = await readStatus(dr);
      return { status: status.verdict === 'NotReady' ? 503 : 200, jsonBody: status };
    }),
});
