import { listSnapshotViews } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/snapshots`: every snapshot of the primary hub, newest first. */
route('listSnapshots', 'GET', 'snapshots', async ({ app }) => ({ jsonBody: { value: await listSnapshotViews(app) } }));
