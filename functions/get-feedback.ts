import { readFeedbackView } from '../src/app/feedback/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/feedback`: what the last clean-up came to. */
route('getFeedback', 'GET', 'feedback', async ({ app }) => ({ jsonBody: await readFeedbackView(app) }));
