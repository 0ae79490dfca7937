import { listAudit } from '../src/app/stored/audit.ts';
import { listRoute } from '../src/http.ts';

/** `GET /api/audit`: who changed what, the newest first, 50 a page. */
listRoute('listAudit', 'audit', listAudit);
