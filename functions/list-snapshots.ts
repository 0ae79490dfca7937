import { listSnapshotViews } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/snapshots`: every snapshot of both hubs, newest first. */
route('listSnapshots', 'GET', 'snapshots', async ({ app }) => ({ jsonBody: { value: await listSnapshotViews(app) } }));
