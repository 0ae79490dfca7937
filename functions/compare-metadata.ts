import { compareHubs } from '../src/app/readiness/metadata.ts';
import { route } from '../src/http.ts';

/** `POST /api/metadata/compare`: every setting in which the two hubs differ, as Resource Manager tells it now. */
route('compareMetadata', 'POST', 'metadata/compare', async ({ app }) => ({ jsonBody: await compareHubs(app) }));
