import { cleanUp } from '../src/app/feedback/clean-up.ts';
import { parseFeedbackRequest } from '../src/core/request/feedback.ts';
import { type Call, route } from '../src/http.ts';

/** `POST /api/feedback`: read what push services have said now, of one send or of all. */
route('processFeedback', 'POST', 'feedback', processFeedback, { body: true });

async function processFeedback({ app, body, askedBy }: Call) {
  return { jsonBody: await cleanUp(app, { ...parseFeedbackRequest(body), by: 'http', askedBy }) };
}
