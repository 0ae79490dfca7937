import { app } from '@azure/functions';
import { readVerificationView } from '../src/app/views.ts';
import { answer } from '../src/http.ts';

/** `GET /api/verifications/{id}`: how a verification is going. 200 whatever became of it. */
app.http('getVerification', {
  methods: ['GET'],
  route: 'verifications/{id}',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => ({ jsonBody: await readVerificationView(dr, request.params['id'] ?? '') })),
});
