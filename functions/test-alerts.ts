import { sendTestAlerts } from '../src/app/readiness/test-alerts.ts';
import { route } from '../src/http.ts';

/** `POST /api/alerts/test`: does the webhook take an alert? */
route('testAlerts', 'POST', 'alerts/test', async ({ app }) => ({ jsonBody: await sendTestAlerts(app) }));
