import { readFeedbackRun } from '../src/app/feedback/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/feedback/{id}`: one clean-up, with what it removed. */
route('getCleanUp', 'GET', 'feedback/{id}', async ({ app, id }) => ({ jsonBody: await readFeedbackRun(app, id) }));
