import { listRunViews } from '../src/app/views.ts';
import { listRoute } from '../src/http.ts';

/** `GET /api/verifications`: the verifications, newest first, 50 a page. */
listRoute('listVerifications', 'verifications', (app, from) => listRunViews(app, 'verification', from));
