import { examine } from '../src/app/readiness/doctor.ts';
import { route } from '../src/http.ts';

/** `GET /api/doctor`: what a deployment needs, each good or with the command that puts it right. */
route('getDoctor', 'GET', 'doctor', async ({ app }) => ({ jsonBody: await examine(app) }));
