import { readSnapshotView } from '../src/app/snapshots/view.ts';
import { route } from '../src/http.ts';

/** `GET /api/snapshots/{id}`: one snapshot with its shards; `latest` is the newest good one. */
route('getSnapshot', 'GET', 'snapshots/{id}', async ({ app, id }) => ({ jsonBody: await readSnapshotView(app, id) }));
